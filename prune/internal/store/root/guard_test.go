package root

import (
	"context"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
)

// damagedSnapshotter panics as the ones over a bolt database do when a bucket
// is missing there, and from then on waits for its own transaction.
type damagedSnapshotter struct {
	snapshots.Snapshotter
	t *testing.T
}

func (d damagedSnapshotter) Remove(context.Context, string) error { panic("a bucket is missing") }

func (d damagedSnapshotter) Cleanup(context.Context) error { return d.waits("Cleanup") }
func (d damagedSnapshotter) Close() error                  { return d.waits("Close") }

func (d damagedSnapshotter) waits(call string) error {
	d.t.Errorf("%s would have waited for ever", call)
	return nil
}

func TestPanicOfASnapshotter(t *testing.T) {
	rootTestNoLeaks(t)
	s := rootTestMust(OpenRoot(t.Context(), rootTestMake(t, rootTestSmall))).(*RootStore)
	guard := s.guards[0]
	sound := guard.backend
	t.Cleanup(func() {
		if err := sound.Close(); err != nil {
			t.Error(err)
		}
	})
	guard.backend = damagedSnapshotter{sound, t}

	err := s.Leases().Delete(rootTestNS, leases.Lease{ID: "l"}, leases.SynchronousDelete)
	if !errdefs.IsDataLoss(err) || !strings.Contains(err.Error(), "snapshotter native: its database is damaged (a bucket is missing)") {
		t.Errorf("the collection says %v", err)
	}
	if _, err := s.Snapshotter("native").Usage(rootTestNS, "used"); !errdefs.IsDataLoss(err) {
		t.Errorf("a call after the panic says %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}
