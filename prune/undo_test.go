package prune

import (
	"context"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// A grace may end while the run is undone, right before a record is made: what
// the record needs is there all the same.
func TestGraceEndsDuringTheUndo(t *testing.T) {
	s := newScene(t, graceful())
	before := census(t, s.store)
	_, run := s.withGrace()
	s.tape.before = on("create x:1", func() error {
		for _, lease := range must(s.store.Leases().List(s.ctx)) {
			if _, ok := leases.GraceRun(lease); ok {
				must(0, s.store.Leases().Delete(s.ctx, lease))
			}
		}
		s.collect()
		return nil
	})
	undone, err := undo.Undo(context.Background(), s.tape, run, time.Now())
	if err != nil || len(undone.Failed) != 0 || names(undone.Restored) != "x:1, y:1" {
		t.Errorf("undone %+v, %v", undone, err)
	}
	s.collect()
	if diff := differences(before, census(t, s.store)); diff != "" {
		t.Errorf("after all:\n%s", diff)
	}
}
