package undo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Dropped is the result of dropping a run.
type Dropped struct {
	Reclaimed inventory.Amount `json:"reclaimed"`
	// Garbage is what nothing held already before.
	Garbage inventory.Amount `json:"garbage"`
}

// Drop ends the grace period of a run, so that containerd collects what it
// held, and compares the store before and after to report what was freed.
func Drop(ctx context.Context, store store.Store, run Run, now time.Time, opts read.ReadOptions) (Dropped, error) {
	before, err := read.ReadMeasured(ctx, store, inventory.Scope{}, now, opts, (*gc.Collector).SnapshotsOfLeases)
	if err != nil {
		return Dropped{}, err
	}
	if err := giveUp(ctx, store, before, run, now, opts); err != nil {
		return Dropped{}, err
	}
	var d Dropped
	after, err := read.Read(ctx, store, inventory.Scope{}, now, opts)
	if err == nil {
		d.Reclaimed, d.Garbage, err = reclaimed(ctx, store, before, after, now)
	}
	if err != nil {
		return Dropped{}, fmt.Errorf("run %s was dropped, but what that freed could not be measured: %w", run.Name, err)
	}
	return d, nil
}

// giveUp deletes the grace leases of a run, and returns when what they held has
// been collected.
func giveUp(ctx context.Context, st store.Store, inv *inventory.Inventory, r Run, now time.Time, opts read.ReadOptions) error {
	locker := lock.Locker{Manager: st.Leases(), Hangs: run.Hangs(st, inv, opts.PluginTime)}
	var errs []error
	collected := false
	for i, ns := range r.Namespaces {
		done, err := locker.DropGrace(store.InNamespace(ctx, ns), r.Name, i == len(r.Namespaces)-1)
		if err != nil {
			errs = append(errs, fmt.Errorf("namespace %q: %w", ns, err))
		}
		collected = collected || done
	}
	if n := len(r.Namespaces); !collected && n > 0 && ctx.Err() == nil {
		errs = append(errs, run.CollectIn(ctx, locker, r.Namespaces[n-1], now))
	}
	return errors.Join(errs...)
}

// reclaimedOf does the same for what was held, which the caller gives.
func reclaimedOf(ctx context.Context, c *gc.Collector, store store.Store, before, after *inventory.Inventory, held graph.Reached) (freed, garbage inventory.Amount, err error) {
	remaining := after.Objects()
	files, err := store.BlobFiles(ctx)
	if err != nil && !errdefs.IsUnavailable(err) {
		return inventory.Amount{}, inventory.Amount{}, fmt.Errorf("looking for removed blobs on the disk: %w", err)
	}
	for dgst := range files {
		remaining.Blobs[dgst] = 0
	}
	gone := before.Objects().Without(remaining)
	taken, unheld := c.Split(maps.All(gone.Blobs), maps.All(gone.Snapshots), held, graph.Reached{})
	return taken.Amount(), unheld.Amount(), nil
}

// reclaimed is what a later inventory of a store lacks of an earlier one, apart
// from the garbage that nothing held at the time now. Where the files can be
// seen, a blob counts only if its file is gone as well.
func reclaimed(ctx context.Context, store store.Store, before, after *inventory.Inventory, now time.Time) (freed, garbage inventory.Amount, err error) {
	c := gc.NewCollector(before, now)
	return reclaimedOf(ctx, c, store, before, after, c.Reach(gc.Change{}))
}
