package run_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// silenced is a store whose snapshotter does not list its snapshots for a while.
type silenced struct {
	store.Store
	now func() bool
}

func (s silenced) Snapshotter(name string) snapshots.Snapshotter {
	return silentSnapshotter{s.Store.Snapshotter(name), s.now}
}

type silentSnapshotter struct {
	snapshots.Snapshotter
	now func() bool
}

func (s silentSnapshotter) Walk(ctx context.Context, fn snapshots.WalkFunc, filters ...string) error {
	if s.now() {
		return errdefs.ErrUnavailable
	}
	return s.Snapshotter.Walk(ctx, fn, filters...)
}

// What was deleted is restored where it is unknown by now what needs it, and that
// is an error, because it was to go.
func TestSnapshotterFallsSilentDuringTheRun(t *testing.T) {
	for _, moment := range []string{"before anything is deleted", "after the deletions"} {
		t.Run(moment, func(t *testing.T) {
			s := tw.NewScene(t, tw.World{"default": {
				tw.Blob("a", tw.RefContent("b")), tw.Blob("b", tw.RefSnapshot("s1")), tw.Snapshot("s1", ""), tw.Record("x:1", "a"),
			}})
			deleted := false
			s.Tape.Before = func(call string) error {
				deleted = deleted || strings.HasPrefix(call, "delete x:1")
				return nil
			}
			plan := s.Plan(proc.Procfs{})
			silent := func() bool { return deleted == (moment == "after the deletions") }
			report, err := run.Execute(context.Background(), plan, silenced{s.Tape, silent}, run.ExecuteOptions{Now: time.Now})
			if err == nil || !strings.Contains(err.Error(), `nothing is removed from namespace "default": snapshotter "memory"`) {
				t.Errorf("the run ended with %v", err)
			}
			if len(report.Errors) == 0 || report.Errors[0].ReasonCode != cause.CodeSilent {
				t.Errorf("errors %+v", report.Errors)
			}
			tw.CheckRecordNames(t, s, "x:1")
			tw.CheckNothingOfOurs(t, s.Store)
		})
	}
}
