package prune

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"

	clientleases "github.com/containerd/containerd/v2/core/leases"

	"github.com/ctr-prune/ctr-prune/leases"
)

// Whatever becomes of the lease that is deleted last, what the run held is
// collected: it is gone already, or its deletion fails.
func TestCollectionWithoutTheLastLease(t *testing.T) {
	w := func() world {
		return world{
			"default": {blob("a"), record("x:1", "a")},
			"other":   {blob("b"), record("x:2", "b")},
		}
	}
	other := store.InNamespace(context.Background(), "other")
	for name, last := range map[string]func(s *scene) error{
		"gone":              func(s *scene) error { return s.store.Leases().Delete(other, clientleases.Lease{ID: leases.RunID}) },
		"not to be deleted": func(*scene) error { return errDisk },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, w())
			s.tape.before = on("free ctr-prune and collect", func() error { return last(s) })
			report, err := s.run(context.Background(), process(t, 1))
			if failed := name != "gone"; errors.Is(err, errDisk) != failed || !failed && err != nil || s.hasBlob("a") || report.Reclaimed.Blobs == 0 {
				t.Errorf("a is there: %v, %+v, %v", s.hasBlob("a"), report.Reclaimed, err)
			}
		})
	}
}

// So it is with the grace of a run that is given up.
func TestDropWithoutTheLastLease(t *testing.T) {
	s := newScene(t, world{
		"default": {blob("a"), record("x:1", "a")},
		"other":   {blob("b"), record("x:2", "b")},
	})
	_, run := s.withGrace()
	other := store.InNamespace(context.Background(), "other")
	must(0, s.store.Leases().Delete(other, clientleases.Lease{ID: "ctr-prune-grace-" + run.Name}))
	if _, err := undo.Drop(context.Background(), s.store, run, time.Now(), read.ReadOptions{}); err != nil || s.hasBlob("a") {
		t.Errorf("a is there: %v, %v", s.hasBlob("a"), err)
	}
	checkNothingOfOurs(t, s.store)
}
