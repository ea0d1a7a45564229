package read

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/disk"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// noSize is that of a snapshot that went since it was listed.
const noSize = -1

// Measure asks for the sizes of snapshots, and adds what their snapshotters
// leave out, where the files can be seen.
func Measure(ctx context.Context, st store.Store, ids []inventory.SnapshotID, progress *Meter) (inventory.Sizes, error) {
	onDisk, err := disk.NewSizes(ctx, st, ids)
	if err != nil {
		return nil, fmt.Errorf("measuring snapshots: %w", err)
	}
	bytes := make([]int64, len(ids))
	places := make([]int, len(ids))
	for i := range places {
		places[i] = i
	}
	err = eachOf(ctx, measurements, places, func(ctx context.Context, i int) error {
		id := ids[i]
		usage, err := st.Snapshotter(id.Snapshotter).Usage(store.InNamespace(ctx, id.Namespace), id.Key)
		if errdefs.IsNotFound(err) {
			bytes[i] = noSize
			return nil
		}
		if err != nil {
			return fmt.Errorf("measuring snapshot %s in namespace %q: %w", id.SnapshotKey, id.Namespace, err)
		}
		bytes[i] = onDisk.Of(id, usage.Size)
		progress.Add(1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	sizes := make(inventory.Sizes, len(ids))
	for i, id := range ids {
		if bytes[i] != noSize {
			sizes[id] = bytes[i]
		}
	}
	return sizes, nil
}

// ReadMeasured reads the store and measures the snapshots that are asked for.
func ReadMeasured(ctx context.Context, store store.Store, scope inventory.Scope, now time.Time, opts ReadOptions, which func(*gc.Collector) []inventory.SnapshotID) (*inventory.Inventory, error) {
	inv, err := Read(ctx, store, scope, now, opts)
	if err != nil {
		return nil, err
	}
	sizes, err := Measure(ctx, store, which(gc.NewCollector(inv, now)), NewMeter(opts.Progress, StageRead))
	if err != nil {
		return nil, err
	}
	return inv.WithSizes(sizes), nil
}
