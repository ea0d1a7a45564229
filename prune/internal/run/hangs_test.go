package run_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// statStore is a store whose snapshotters answer as the function does.
type statStore struct {
	store.Store
	stat func(ctx context.Context, key string) error
}

func (s statStore) Snapshotter(string) snapshots.Snapshotter { return statter{stat: s.stat} }

type statter struct {
	snapshots.Snapshotter
	stat func(ctx context.Context, key string) error
}

func (s statter) Stat(ctx context.Context, key string) (snapshots.Info, error) {
	return snapshots.Info{Name: key}, s.stat(ctx, key)
}

// twoSnapshots is an inventory with two of a snapshotter's.
func twoSnapshots(snapshotter string) *inventory.Inventory {
	ns := &inventory.Namespace{Name: "default", Snapshots: make(map[inventory.SnapshotKey]inventory.Snapshot)}
	for _, key := range []string{"a", "b"} {
		ns.Snapshots[inventory.SnapshotKey{Snapshotter: snapshotter, Key: key}] = inventory.Snapshot{}
	}
	return &inventory.Inventory{Namespaces: []*inventory.Namespace{ns}}
}

// A collection is waited for as long as the snapshotters answer, and half an hour
// is not too long for one that removes much.
func TestHangs(t *testing.T) {
	hangs := func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
	fine := func(context.Context, string) error { return nil }
	dead := func(context.Context, string) error { return errdefs.ErrUnavailable }
	gone := func(context.Context, string) error { return errdefs.ErrNotFound }
	begin := time.Now()
	later := func(ctx context.Context, key string) error {
		if time.Since(begin) > 10*time.Minute {
			return hangs(ctx, key)
		}
		return nil
	}
	oneGone := func(ctx context.Context, key string) error {
		if key == "a" {
			return errdefs.ErrNotFound
		}
		return hangs(ctx, key)
	}
	silent := twoSnapshots("far")
	silent.Namespaces[0].Silence("far", "no answer")
	for name, tt := range map[string]struct {
		inv    *inventory.Inventory
		stat   func(context.Context, string) error
		within time.Duration // of the error; none is wanted if zero
		after  time.Duration
		named  string
	}{
		"answers":                   {inv: twoSnapshots("far"), stat: fine},
		"dead":                      {inv: twoSnapshots("far"), stat: dead},
		"hangs":                     {inv: twoSnapshots("far"), stat: hangs, within: 30 * time.Second, after: 30 * time.Second, named: "far"},
		"hangs later":               {inv: twoSnapshots("far"), stat: later, within: 30 * time.Second, after: 10*time.Minute + 30*time.Second, named: "far"},
		"one snapshot left":         {inv: twoSnapshots("far"), stat: oneGone, within: 30 * time.Second, after: 30 * time.Second, named: "far"},
		"none left":                 {inv: twoSnapshots("far"), stat: gone, within: 10 * time.Minute, after: 10*time.Minute + 10*time.Second},
		"none left of containerd's": {inv: twoSnapshots("overlayfs"), stat: gone},
		"silent before":             {inv: silent, stat: hangs, within: 30 * time.Second, after: 30 * time.Second, named: "far"},
		"no snapshots":              {inv: &inventory.Inventory{}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin = time.Now()
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
				defer cancel()
				err := run.Hangs(statStore{stat: tt.stat}, tt.inv, 0)(ctx)
				took := time.Since(begin)
				unended := (*lock.UnendedError)(nil)
				switch {
				case tt.within == 0 && err != nil:
					t.Errorf("after %s: %v", took, err)
				case tt.within == 0:
				case !errors.As(err, &unended) || unended.Within != tt.within || unended.Snapshotter != tt.named:
					t.Errorf("after %s: %v", took, err)
				case took < tt.after || took > tt.after+20*time.Second:
					t.Errorf("after %s, wanted %s", took, tt.after)
				}
			})
		})
	}
}
