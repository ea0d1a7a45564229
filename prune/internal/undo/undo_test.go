package undo_test

import (
	"context"
	"testing"
	"time"

	clientleases "github.com/containerd/containerd/v2/core/leases"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// A grace may end while the run is undone, right before a record is made: what
// the record needs is there all the same.
func TestGraceEndsDuringTheUndo(t *testing.T) {
	s := tw.NewScene(t, graceful())
	before := tw.Census(t, s.Store)
	_, run := s.WithGrace()
	s.Tape.Before = tw.On("create x:1", func() error {
		for _, lease := range tw.Must(s.Store.Leases().List(s.Ctx)) {
			if _, ok := leases.GraceOf(lease); ok {
				tw.Must(0, s.Store.Leases().Delete(s.Ctx, lease))
			}
		}
		s.Collect()
		return nil
	})
	undone, err := undo.Undo(context.Background(), s.Tape, run, tw.Options())
	if err != nil || len(undone.Failed) != 0 || tw.NamesOf(undone.Restored) != "x:1, y:1" {
		t.Errorf("undone %+v, %v", undone, err)
	}
	s.Collect()
	if diff := tw.Differences(before, tw.Census(t, s.Store)); diff != "" {
		t.Errorf("after all:\n%s", diff)
	}
}

// A lease of a grace that somebody deleted in one namespace takes that part of the
// run with it. Undo of the rest says so.
func TestGraceWithoutOneOfItsLeases(t *testing.T) {
	st := tw.World{
		"default": {tw.Blob("a"), tw.Record("x:1", "a")}, "other": {tw.Blob("b"), tw.Record("y:1", "b")},
	}.Build(t, t.TempDir())
	policy := rules.Policy{Namespaces: []string{"default", "other"}, Filters: tw.All()}
	plan := tw.Must(flow.ReadPlan(t.Context(), st, policy, time.Now(), read.ReadOptions{}))
	report := tw.Must(run.Execute(t.Context(), plan, st, run.ExecuteOptions{Now: time.Now, Grace: time.Hour}))
	grace := clientleases.Lease{ID: leases.KindGrace.ID(report.Grace.Run)}
	tw.Must(0, st.Leases().Delete(store.InNamespace(t.Context(), "other"), grace, clientleases.SynchronousDelete))

	runs := tw.Must(undo.Runs(t.Context(), st, time.Now(), read.ReadOptions{}))
	undone, err := undo.Undo(t.Context(), st, runs[0], tw.Options())
	if err != nil || tw.NamesOf(undone.Restored) != "x:1" || len(undone.Failed) != 0 {
		t.Errorf("undone %+v, %v", undone, err)
	}
	if len(undone.Missing) != 1 || undone.Missing[0].Namespace != "other" || undone.Missing[0].ReasonCode != cause.CodeNotKept {
		t.Errorf("missing %+v", undone.Missing)
	}
}

// Of a run that keeps all of its namespaces none is missing.
func TestUndoMissesNothing(t *testing.T) {
	s := tw.NewScene(t, graceful())
	_, run := s.WithGrace()
	if undone := tw.Must(undo.Undo(t.Context(), s.Store, run, tw.Options())); len(undone.Missing) != 0 {
		t.Errorf("missing %+v", undone.Missing)
	}
}
