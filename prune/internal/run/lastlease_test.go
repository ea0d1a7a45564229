package run_test

import (
	"context"
	"errors"
	"testing"

	clientleases "github.com/containerd/containerd/v2/core/leases"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// Whatever becomes of the lease that is deleted last, what the run held is
// collected: it is gone already, or its deletion fails.
func TestCollectionWithoutTheLastLease(t *testing.T) {
	w := func() tw.World {
		return tw.World{
			"default": {tw.Blob("a"), tw.Record("x:1", "a")},
			"other":   {tw.Blob("b"), tw.Record("x:2", "b")},
		}
	}
	other := store.InNamespace(context.Background(), "other")
	for name, last := range map[string]func(s *tw.Scene) error{
		"gone":              func(s *tw.Scene) error { return s.Store.Leases().Delete(other, clientleases.Lease{ID: leases.RunID}) },
		"not to be deleted": func(*tw.Scene) error { return tw.ErrDisk },
	} {
		t.Run(name, func(t *testing.T) {
			s := tw.NewScene(t, w())
			s.Tape.Before = tw.On("free ctr-prune and collect", func() error { return last(s) })
			report, err := s.Run(context.Background(), tw.Process(t, 1))
			if failed := name != "gone"; errors.Is(err, tw.ErrDisk) != failed || !failed && err != nil || s.HasBlob("a") || report.Reclaimed.Blobs == 0 {
				t.Errorf("a is there: %v, %+v, %v", s.HasBlob("a"), report.Reclaimed, err)
			}
		})
	}
}
