package run_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// An interrupted run ends early, and cleanly.
func TestExecuteInterrupted(t *testing.T) {
	var things []tw.Thing
	for i := range 40 {
		text := fmt.Sprint("m", i)
		things = append(things, tw.Blob(text), tw.Record("x:"+text, text))
	}
	s := tw.NewScene(t, tw.World{"default": things})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var deletions atomic.Int64
	s.Tape.Before = func(call string) error {
		if strings.HasPrefix(call, "delete ") {
			if deletions.Add(1) == 10 {
				cancel()
			}
			if deletions.Load() > 10 {
				<-ctx.Done() // nobody gets far while the tenth is on its way
			}
		}
		return nil
	}
	before := tw.DiskUse(t, s.Store)
	report, err := s.Run(ctx, tw.Process(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	left := len(s.Records())
	if !report.Interrupted || left == 0 || left == 40 || len(report.Untagged) != 40-left || !report.Measured {
		t.Errorf("interrupted %v, measured %v: %d records left, %d untagged", report.Interrupted, report.Measured, left, len(report.Untagged))
	}
	if lost := before - tw.DiskUse(t, s.Store); lost != report.Reclaimed.ContentBytes || report.Reclaimed.Blobs != 40-left {
		t.Errorf("the disk lost %d bytes; reclaimed %+v", lost, report.Reclaimed)
	}
	tw.CheckNothingOfOurs(t, s.Store)
	if report, err := s.Run(context.Background(), tw.Process(t, 1)); err != nil || len(report.Untagged) != left || len(report.Recovered) != 0 {
		t.Errorf("the next run: %+v, %v", report, err)
	}
}

// Interrupted before anything was deleted, a run changes nothing.
func TestExecuteInterruptedEarly(t *testing.T) {
	for _, when := range []string{"lease ctr-prune", "look", "write"} {
		t.Run(when, func(t *testing.T) {
			s := tw.NewScene(t, tw.Small())
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			s.Tape.After = tw.On(when, func() error { cancel(); return ctx.Err() })
			if _, err := s.Run(ctx, tw.Process(t, 1)); !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
			tw.CheckRecordNames(t, s, "x:1", "x:2")
		})
	}
}
