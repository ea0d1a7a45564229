package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// both calls two functions; either may be nil.
func both[T any](a, b func(T)) func(T) {
	if a == nil {
		return b
	}
	return func(v T) { a(v); b(v) }
}

// progress is off while logs are written to the same stream.
func (in *invocation) progress(ctx context.Context) progress {
	if in.debug {
		return progress{}
	}
	return newProgress(ctx, in.process)
}

// progress shows the progress of a run; the zero value shows nothing.
type progress struct{ line *terminal.Progress }

// newProgress starts to show progress on stderr if that is a terminal that
// can erase a line. Call stop before anything else is written.
func newProgress(ctx context.Context, p process) progress {
	width, isTerminal := p.columns(p.stderr)
	if !isTerminal || p.getenv("TERM") == "dumb" {
		return progress{}
	}
	line := &terminal.Progress{
		Out: p.stderr, Width: width, Now: p.now, Text: progressText,
		Stopping: func() bool { return ctx.Err() != nil },
	}
	line.Start()
	return progress{line}
}

// tell records the progress of a stage. It is safe for concurrent use.
func (b progress) tell(p prune.Progress) {
	b.line.Tell(terminal.Stage{Name: string(p.Stage), Done: p.Done, Total: p.Total})
}

func (b progress) stop() { b.line.Stop() }

// progressText describes a stage that has lasted for some time.
func progressText(p terminal.Stage, lasted time.Duration) string {
	seconds := lasted.Round(time.Second)
	rate := float64(p.Done) / max(lasted.Seconds(), 0.001)
	switch {
	case p.Name == string(prune.StageCollect):
		return fmt.Sprintf("Collecting garbage, %s", seconds)
	case p.Name == string(prune.StageVerify):
		return fmt.Sprintf("Reading blobs: %d of %d, %s", p.Done, p.Total, seconds)
	case p.Name == string(prune.StageMeasure):
		return fmt.Sprintf("Measuring what was freed, %s", seconds)
	case p.Total > 0 && p.Done > 0:
		left := time.Duration(float64(p.Total-p.Done) / rate * float64(time.Second)).Round(time.Second)
		return fmt.Sprintf("Removing records: %d of %d, %.0f/s, %s left", p.Done, p.Total, rate, left)
	case p.Total > 0:
		return fmt.Sprintf("Removing records: %d of %d", p.Done, p.Total)
	}
	return fmt.Sprintf("Reading the store: %d objects, %s", p.Done, seconds)
}
