package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal/terminaltest"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
	"github.com/ctr-prune/ctr-prune/prune"
)

// The seeds are in testdata/fuzz. To look for more: go test -fuzz FuzzTemplate ./cmd/ctr-prune

// costly is what lets a short template of the user's own take long.
var costly = regexp.MustCompile(`[0-9]{4}|[0-9][eExXpP_]|'|(?s:range.*range|template.*template.*template)`)

// A template is refused in a sentence before anything is done, or it shows any
// store, and nothing that does not print but what it says itself.
func FuzzTemplate(f *testing.F) {
	f.Fuzz(func(t *testing.T, typed, name string) {
		if len(typed) > 300 || costly.MatchString(typed) || typed == format.Table || typed == format.JSON || typed == format.Lines {
			return
		}
		p := newFake("")
		v, err := viewOf(p.process, outputOptions{format: typed})
		if err != nil {
			if r, bad := terminaltest.Unprintable(terminal.Quote(err.Error())); bad {
				t.Errorf("%q is refused with %U", typed, r)
			}
			return
		}
		doc := texttest.Report()
		doc.Images[0].Name, doc.Images[1].Reason, doc.Held[0].Holder, doc.Errors[0].Reason = name, name, name, name
		if v.show(doc) != nil {
			return // it works on the examples only
		}
		if _, odd := terminaltest.Unprintable(typed); odd || strings.Contains(typed, `\`) {
			return
		}
		for line := range strings.SplitSeq(p.out.String(), "\n") {
			if r, bad := terminaltest.Unprintable(line); bad {
				t.Errorf("%q shows %U: %q", typed, r, line)
			}
		}
	})
}

// Text of a store is exact in JSON, and nothing of it that does not print
// reaches a table.
func FuzzText(f *testing.F) {
	f.Fuzz(func(t *testing.T, typed string, width int64) {
		width = 1 + (width&0x7fffffff)%200
		b, err := format.Encode(map[string]string{"text": typed}, "")
		if err != nil {
			t.Fatal(err)
		}
		if r, bad := terminaltest.Unprintable(strings.TrimSuffix(string(b), "\n")); bad {
			t.Errorf("%q has %U as JSON", typed, r)
		}
		var back map[string]string
		if err := json.Unmarshal(b, &back); err != nil || back["text"] != string([]rune(typed)) {
			t.Errorf("%q comes back as %q, %v", typed, back["text"], err)
		}
		checkTable(t, typed, int(width))
	})
}

// checkTable shows a plan in which everything has a name, on a terminal of that
// width.
func checkTable(t *testing.T, typed string, width int) {
	t.Helper()
	p := newFake("")
	p.terminal(20+width, p.stdout)
	doc := texttest.Plan()
	doc.Images[0].Name, doc.Images[0].Namespace, doc.Images[1].Reason = typed, typed, typed
	doc.Policy.Namespaces = append(doc.Policy.Namespaces, typed)
	doc.Elsewhere = append(doc.Elsewhere, prune.NamespaceCount{Namespace: typed})
	p.process.getenv = func(string) string { return "dumb" }
	out := p.printer(p.stdout)
	text.Document(out, doc, text.How{})
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	for line := range bytes.SplitSeq(p.out.Bytes(), []byte("\n")) {
		if r, bad := terminaltest.Unprintable(string(line)); bad {
			t.Errorf("%q shows %U: %q", typed, r, line)
		}
	}
}
