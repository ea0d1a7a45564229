package undo_test

import (
	"context"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
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
	undone, err := undo.Undo(context.Background(), s.Tape, run, time.Now())
	if err != nil || len(undone.Failed) != 0 || tw.NamesOf(undone.Restored) != "x:1, y:1" {
		t.Errorf("undone %+v, %v", undone, err)
	}
	s.Collect()
	if diff := tw.Differences(before, tw.Census(t, s.Store)); diff != "" {
		t.Errorf("after all:\n%s", diff)
	}
}
