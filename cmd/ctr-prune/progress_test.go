package main

import (
	"context"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

func TestProgressText(t *testing.T) {
	for _, c := range []struct {
		p      terminal.Stage
		lasted time.Duration
		want   string
	}{
		{terminal.Stage{Name: string(prune.StageRead), Done: 4300}, 2 * time.Second, "Reading the store: 4300 objects, 2s"},
		{terminal.Stage{Name: string(prune.StageDelete), Total: 100}, 0, "Removing records: 0 of 100"},
		{terminal.Stage{Name: string(prune.StageDelete), Done: 25, Total: 100}, 5 * time.Second, "Removing records: 25 of 100, 5/s, 15s left"},
		{terminal.Stage{Name: string(prune.StageCollect)}, 61 * time.Second, "Collecting garbage, 61s"},
		{terminal.Stage{Name: string(prune.StageMeasure)}, time.Second, "Measuring what was freed, 1s"},
	} {
		if got := progressText(c.p, c.lasted); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestProgressNeedsATerminal(t *testing.T) {
	f := newFake("")
	if b := newProgress(context.Background(), f.process); b.line != nil {
		t.Error("progress is shown in a pipe")
	}
	f.terminal(80, f.stderr)
	b := newProgress(context.Background(), f.process)
	if b.line == nil {
		t.Fatal("no progress on a terminal")
	}
	b.stop()
	f.env(map[string]string{"TERM": "dumb"})
	if b := newProgress(context.Background(), f.process); b.line != nil {
		t.Error("progress is shown on a terminal that cannot erase it")
	}
	b = progress{}
	b.tell(prune.Progress{})
	b.stop()
}
