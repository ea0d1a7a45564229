package terminal

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"
)

// noon is the clock of the tests.
func noon() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) }

// bar is a progress whose clock the test moves and whose line it draws.
func bar(ctx context.Context, out *bytes.Buffer, now *time.Time) *Progress {
	b := &Progress{
		Out: out, Width: 30, Now: func() time.Time { return *now },
		Text:     func(s Stage, _ time.Duration) string { return s.Name + " and what is done there at the moment" },
		Stopping: func() bool { return ctx.Err() != nil },
	}
	b.begin()
	return b
}

func TestProgressAppearsAfterASecondAndGoes(t *testing.T) {
	var out bytes.Buffer
	now := noon()
	b := bar(context.Background(), &out, &now)
	b.Tell(Stage{Name: "Reading", Done: 10})
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
	b.Stop()
	if out.String() != eraseLine {
		t.Errorf("left behind: %q", out.String())
	}
}

func TestProgressSaysThatItStops(t *testing.T) {
	var out bytes.Buffer
	now := noon()
	ctx, cancel := context.WithCancel(context.Background())
	b := bar(ctx, &out, &now)
	b.Tell(Stage{Name: "Removing"})
	cancel()
	b.draw()
	if !strings.Contains(out.String(), "Stopping") {
		t.Errorf("drawn as %q", out.String())
	}
	b.Stop()
}
