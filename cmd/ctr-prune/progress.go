package main

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	progressDelay = time.Second
	progressTick  = 100 * time.Millisecond
	eraseLine     = "\r\x1b[K"
)

// progress shows how far a run has come, on one line of a terminal, once it
// takes long. The zero value and nil show nothing.
type progress struct {
	ended sync.WaitGroup
	out   io.Writer
	width int
	now   func() time.Time
	done  chan struct{}
	// stopping says that the run was told to end.
	stopping func() bool

	mu    sync.Mutex
	last  prune.Progress
	since time.Time // of the stage
	start time.Time
	shown bool
}

// newProgress starts to show progress on stderr if that is a terminal that
// can erase a line. Call stop before anything else is written.
func newProgress(ctx context.Context, p process) *progress {
	width, terminal := p.columns(p.stderr)
	if !terminal || p.getenv("TERM") == "dumb" {
		return nil
	}
	now := p.now()
	b := &progress{
		out: p.stderr, width: width, now: p.now, done: make(chan struct{}), start: now, since: now,
		stopping: func() bool { return ctx.Err() != nil },
	}
	b.ended.Go(func() {
		ticker := time.NewTicker(progressTick)
		defer ticker.Stop()
		for {
			select {
			case <-b.done:
				return
			case <-ticker.C:
				b.draw()
			}
		}
	})
	return b
}

// tell notes how far a stage has come. Safe for concurrent use.
func (b *progress) tell(p prune.Progress) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if p.Stage != b.last.Stage {
		b.last, b.since = p, b.now()
	} else if p.Done > b.last.Done {
		b.last = p
	}
}

// stop erases the line and ends the showing.
func (b *progress) stop() {
	if b == nil {
		return
	}
	close(b.done)
	b.ended.Wait()
	if b.shown {
		// Progress that cannot be shown is no reason to fail.
		_, _ = io.WriteString(b.out, eraseLine)
	}
}

func (b *progress) draw() {
	b.mu.Lock()
	defer b.mu.Unlock()
	now, stopping := b.now(), b.stopping()
	if now.Sub(b.start) < progressDelay && !stopping || b.last.Stage == "" {
		return
	}
	text := progressText(b.last, now.Sub(b.since))
	if stopping {
		text = "Stopping, once more to leave at once. " + text
	}
	b.shown = true
	text = runewidth.Truncate(text, b.width-1, ellipsis)
	_, _ = io.WriteString(b.out, eraseLine+text)
}

// progressText describes a stage that has lasted for some time.
func progressText(p prune.Progress, lasted time.Duration) string {
	seconds := lasted.Round(time.Second)
	rate := float64(p.Done) / max(lasted.Seconds(), 0.001)
	switch {
	case p.Stage == prune.StageCollect:
		return fmt.Sprintf("Collecting garbage, %s", seconds)
	case p.Stage == prune.StageMeasure:
		return fmt.Sprintf("Measuring what is gone, %s", seconds)
	case p.Total > 0 && p.Done > 0:
		left := time.Duration(float64(p.Total-p.Done) / rate * float64(time.Second)).Round(time.Second)
		return fmt.Sprintf("Removing records: %d of %d, %.0f/s, %s left", p.Done, p.Total, rate, left)
	case p.Total > 0:
		return fmt.Sprintf("Removing records: %d of %d", p.Done, p.Total)
	}
	return fmt.Sprintf("Reading the store: %d objects, %s", p.Done, seconds)
}
