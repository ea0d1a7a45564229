package history

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune"
)

var noon = time.Date(2026, time.January, 5, 12, 0, 0, 0, time.UTC)

func add(t *testing.T, f Folder, e Entry) {
	t.Helper()
	if err := f.Add(e); err != nil {
		t.Fatal(err)
	}
}

func TestTheLastReportsAreKept(t *testing.T) {
	f := In(t.TempDir())
	if list, err := f.List(); err != nil || len(list) != 0 {
		t.Fatalf("before the first: %v, %v", list, err)
	}
	for i := range Keep + 3 {
		add(t, f, Entry{Run: fmt.Sprintf("20260105-12%02d00-abcdef", i), Started: noon})
	}
	list, err := f.List()
	if err != nil || len(list) != Keep || list[0].Run != "20260105-125200-abcdef" || list[Keep-1].Run != "20260105-120300-abcdef" {
		t.Fatalf("%d entries, %v", len(list), err)
	}
}

// A run whose time lies before that of the others, because somebody has set the clock
// back, is kept all the same: of those of later times the oldest goes.
func TestTheLastReportIsKeptAlsoWithTheClockSetBack(t *testing.T) {
	f := In(t.TempDir())
	for i := range Keep {
		add(t, f, Entry{Run: fmt.Sprintf("20260108-12%02d00-abcdef", i), Started: noon})
	}
	for i := range 3 {
		add(t, f, Entry{Run: fmt.Sprintf("20260105-12%02d00-abcdef", i), Started: noon})
	}
	list, err := f.List()
	if err != nil || len(list) != Keep || list[Keep-1].Run != "20260105-120000-abcdef" || list[Keep-4].Run != "20260108-120300-abcdef" {
		t.Fatalf("%d entries, the last is %s, %v", len(list), list[len(list)-1].Run, err)
	}
}

func TestAnEntryIsReadAsItWasWritten(t *testing.T) {
	f := In(t.TempDir())
	image := func(name string, action prune.Action) prune.ImageDocument {
		return prune.ImageDocument{Record: prune.Record{Namespace: "default", Name: name}, Action: action}
	}
	doc := &prune.Document{Kind: prune.DocumentReport, Counts: prune.Counts{Images: 2, Remove: 1, Keep: 1}}
	doc.Images = []prune.ImageDocument{image("a", prune.Keep), image("b", prune.Remove)}
	add(t, f, Entry{Run: "r", Trigger: "schedule", Result: "done", Started: noon, Ended: noon.Add(time.Second), Document: doc})
	if len(doc.Images) != 2 {
		t.Error("the document that was handed over has changed")
	}
	short := *doc
	short.Images = doc.Images[1:]
	list, err := f.List()
	want := []Entry{{SchemaVersion: Schema, Kind: "history", Run: "r", Trigger: "schedule", Result: "done", Started: noon, Ended: noon.Add(time.Second), Document: &short}}
	if diff := cmp.Diff(want, list); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// What cannot be read is told, and the others are shown.
func TestDamagedReports(t *testing.T) {
	state := t.TempDir()
	f := In(state)
	add(t, f, Entry{Run: "good"})
	for name, text := range map[string]string{"cut.json": `{"schemaVersion": 1, `, "later.json": `{"schemaVersion": 2}`, ".tmp.json": "{", "note": "{"} {
		if err := os.WriteFile(filepath.Join(state, "reports", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := f.List()
	if len(list) != 1 || list[0].Run != "good" {
		t.Errorf("%v", list)
	}
	text := fmt.Sprint(err)
	if strings.Count(text, "\n") != 1 || !strings.Contains(text, "cut.json: unexpected end") || !strings.Contains(text, "later.json: its schema version is 2") {
		t.Errorf("%s", text)
	}
}
