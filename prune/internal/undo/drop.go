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
	// Interrupted says that the context ended before the run was given up in all of its
	// namespaces. It can be dropped again for the rest.
	Interrupted bool `json:"interrupted"`
	// Begun says that the store may have been changed.
	Begun bool `json:"-"`
}

// Drop ends the grace period of a run, so that containerd collects what it
// held, and compares the store before and after to report what was freed. When ctx
// ends, the namespace that was begun is finished, and no other is begun.
func Drop(ctx context.Context, store store.Store, run Run, opts run.ExecuteOptions) (Dropped, error) {
	now := opts.Now()
	before, err := read.ReadMeasured(ctx, store, inventory.Scope{}, now, opts.Reading(), (*gc.Collector).SnapshotsOfLeases)
	if err != nil {
		return Dropped{}, err
	}
	begun, end := opts.Begun(ctx)
	defer end()
	d := Dropped{Begun: true}
	read.NewMeter(opts.Progress, read.StageCollect).Add(0)
	if d.Interrupted, err = giveUp(begun, ctx.Done(), store, before, run, opts); err != nil {
		return d, err
	}
	read.NewMeter(opts.Progress, read.StageMeasure).Add(0)
	after, err := read.Read(begun, store, inventory.Scope{}, now, quietly(opts))
	if err == nil {
		d.Reclaimed, d.Garbage, err = reclaimed(begun, store, before, after, now)
	}
	if err != nil {
		return d, fmt.Errorf("run %s was dropped, but what that freed could not be measured: %w", run.Name, err)
	}
	return d, nil
}

// quietly are the options of a read that belongs to another stage.
func quietly(opts run.ExecuteOptions) read.ReadOptions {
	reading := opts.Reading()
	reading.Progress = nil
	return reading
}

// giveUp deletes the grace leases of a run, and returns when what they held has
// been collected. It says whether an interruption came before it had done so in all
// namespaces.
func giveUp(ctx context.Context, interrupted <-chan struct{}, st store.Store, inv *inventory.Inventory, r Run, opts run.ExecuteOptions) (cut bool, err error) {
	locker := lock.Locker{Manager: st.Leases(), Hangs: run.Hangs(st, inv, opts.PluginTime)}
	var errs []error
	collected, last := false, ""
	for i, ns := range r.Namespaces {
		if cut = ended(interrupted); cut {
			break
		}
		done, err := locker.DropGrace(store.InNamespace(ctx, ns), r.Name, i == len(r.Namespaces)-1)
		if err != nil {
			errs = append(errs, fmt.Errorf("namespace %q: %w", ns, err))
		}
		collected, last = collected || done, ns
	}
	if !collected && last != "" && ctx.Err() == nil {
		errs = append(errs, run.CollectIn(ctx, locker, last, opts.Now()))
	}
	return cut, errors.Join(errs...)
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
