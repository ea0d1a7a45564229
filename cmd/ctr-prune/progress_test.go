package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

func TestProgressText(t *testing.T) {
	for _, c := range []struct {
		p      prune.Progress
		lasted time.Duration
		want   string
	}{
		{prune.Progress{Stage: prune.StageRead, Done: 4300}, 2 * time.Second, "Reading the store: 4300 objects, 2s"},
		{prune.Progress{Stage: prune.StageDelete, Total: 100}, 0, "Removing records: 0 of 100"},
		{prune.Progress{Stage: prune.StageDelete, Done: 25, Total: 100}, 5 * time.Second, "Removing records: 25 of 100, 5/s, 15s left"},
		{prune.Progress{Stage: prune.StageCollect}, 61 * time.Second, "Collecting garbage, 1m1s"},
		{prune.Progress{Stage: prune.StageMeasure}, time.Second, "Measuring what is gone, 1s"},
	} {
		if got := progressText(c.p, c.lasted); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// bar is a progress whose clock the test moves and whose line it draws.
func bar(ctx context.Context, out *bytes.Buffer, now *time.Time) *progress {
	return &progress{
		out: out, width: 30, now: func() time.Time { return *now }, done: make(chan struct{}),
		start: *now, since: *now, stopping: func() bool { return ctx.Err() != nil },
	}
}

func TestProgressAppearsAfterASecondAndGoes(t *testing.T) {
	var out bytes.Buffer
	now := fixedNow()
	b := bar(context.Background(), &out, &now)
	b.tell(prune.Progress{Stage: prune.StageRead, Done: 10})
	now = now.Add(progressDelay - time.Millisecond)
	b.draw()
	if out.Len() > 0 {
		t.Fatalf("shown at once: %q", out.String())
	}
	now = now.Add(time.Millisecond)
	b.draw()
	if got := out.String(); !strings.HasPrefix(got, eraseLine) || len([]rune(got)) > len(eraseLine)+29 {
		t.Errorf("drawn as %q", got)
	}
	out.Reset()
	b.stop()
	if out.String() != eraseLine {
		t.Errorf("left behind: %q", out.String())
	}
}

func TestProgressSaysThatItStops(t *testing.T) {
	var out bytes.Buffer
	now := fixedNow()
	ctx, cancel := context.WithCancel(context.Background())
	b := bar(ctx, &out, &now)
	b.tell(prune.Progress{Stage: prune.StageDelete})
	cancel()
	b.draw()
	if !strings.Contains(out.String(), "Stopping") {
		t.Errorf("drawn as %q", out.String())
	}
	b.stop()
}

func TestProgressNeedsATerminal(t *testing.T) {
	f := newFake("")
	if b := newProgress(context.Background(), f.process); b != nil {
		t.Error("progress is shown in a pipe")
	}
	f.terminal(80, f.stderr)
	b := newProgress(context.Background(), f.process)
	if b == nil {
		t.Fatal("no progress on a terminal")
	}
	b.stop()
	f.env(map[string]string{"TERM": "dumb"})
	if b := newProgress(context.Background(), f.process); b != nil {
		t.Error("progress is shown on a terminal that cannot erase it")
	}
	b = nil
	b.tell(prune.Progress{})
	b.stop()
}
