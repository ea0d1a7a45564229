package undo_test

import (
	"context"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// An undo that is interrupted finishes the record that it restores and begins no other.
// The run is still there, and undoing it again does the rest.
func TestUndoIsInterrupted(t *testing.T) {
	s := tw.NewScene(t, graceful())
	before := tw.Census(t, s.Store)
	_, r := s.WithGrace()
	ctx, interrupt := context.WithCancel(t.Context())
	s.Tape.Before = tw.On("create x:1", func() error { interrupt(); return nil })
	undone, err := undo.Undo(ctx, s.Tape, r, tw.Options())
	if err != nil || !undone.Interrupted || undone.Untried != 1 || tw.NamesOf(undone.Restored) != "x:1" || len(undone.Failed) != 0 {
		t.Errorf("interrupted: %+v, %v", undone, err)
	}
	if runs := tw.Must(undo.Runs(t.Context(), s.Store, time.Now(), read.ReadOptions{})); len(runs) != 1 {
		t.Errorf("runs: %+v", runs)
	}
	undone, err = undo.Undo(t.Context(), s.Store, r, tw.Options())
	if err != nil || undone.Interrupted || tw.NamesOf(undone.Restored) != "y:1" {
		t.Errorf("again: %+v, %v", undone, err)
	}
	s.Collect()
	if diff := tw.Differences(before, tw.Census(t, s.Store)); diff != "" {
		t.Errorf("after all:\n%s", diff)
	}
}

// An undo tells how far it is.
func TestUndoTellsItsProgress(t *testing.T) {
	s := tw.NewScene(t, graceful())
	_, r := s.WithGrace()
	var told []read.Progress
	opts := tw.Options()
	opts.Progress = func(p read.Progress) { told = append(told, p) }
	tw.Must(undo.Undo(t.Context(), s.Store, r, opts))
	if n := len(told); n != 2 || told[n-1] != (read.Progress{Stage: read.StageRestore, Done: 2, Total: 2}) {
		t.Errorf("told %+v", told)
	}
}

// Dropping a run of two namespaces that is interrupted in the first one leaves the
// other, and tells so.
func TestDropIsInterrupted(t *testing.T) {
	st := tw.World{
		"default": {tw.Blob("a"), tw.Record("x:1", "a")}, "other": {tw.Blob("b"), tw.Record("y:1", "b")},
	}.Build(t, t.TempDir())
	policy := rules.Policy{Namespaces: []string{"default", "other"}, Filters: tw.All()}
	plan := tw.Must(flow.ReadPlan(t.Context(), st, policy, time.Now(), read.ReadOptions{}))
	tw.Must(run.Execute(t.Context(), plan, st, run.ExecuteOptions{Now: time.Now, Grace: time.Hour}))
	r := tw.Must(undo.Runs(t.Context(), st, time.Now(), read.ReadOptions{}))[0]

	ctx, interrupt := context.WithCancel(t.Context())
	opts := tw.Options()
	opts.Progress = func(p read.Progress) {
		if p.Stage == read.StageCollect {
			interrupt()
		}
	}
	dropped, err := undo.Drop(ctx, st, r, opts)
	if err != nil || !dropped.Interrupted || !dropped.Begun || dropped.Reclaimed.Blobs != 0 {
		t.Errorf("interrupted: %+v, %v", dropped, err)
	}
	if runs := tw.Must(undo.Runs(t.Context(), st, time.Now(), read.ReadOptions{})); len(runs) != 1 || len(runs[0].Namespaces) != 2 {
		t.Errorf("runs: %+v", runs)
	}
	if dropped = tw.Must(undo.Drop(t.Context(), st, r, tw.Options())); dropped.Interrupted || dropped.Reclaimed.Blobs == 0 {
		t.Errorf("again: %+v", dropped)
	}
}

// A collection that has begun when the interruption comes is waited for, and what it
// removed is reported.
func TestLeasesPruneIsInterrupted(t *testing.T) {
	s := tw.Stale(t)
	listed := tw.Must(undo.Leases(t.Context(), s.Store, time.Now(), read.ReadOptions{}))
	ctx, interrupt := context.WithCancel(t.Context())
	opts := tw.Options()
	opts.Progress = func(p read.Progress) {
		if p.Stage == read.StageCollect {
			interrupt()
		}
	}
	done, err := undo.PruneLeases(ctx, s.Store, listed, opts)
	if err != nil || done.Interrupted || len(done.Removed) != 1 {
		t.Errorf("interrupted: %+v, %v", done, err)
	}
	s.CheckMount(false)
}
