package run

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/disk"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// rememberFiles begins to note where on the disk the objects of the plan are, while
// the store is read again. A run does not need it: without it, what is reclaimed is what
// containerd says. Noted waits for all but the lengths of blobs that the run holds,
// which are looked up while it deletes records: remembered waits for these.
func (x *Execution) rememberFiles(ctx context.Context) (noted, remembered func()) {
	going := inventory.Objects{
		Blobs:     maps.Clone(x.plan.Outcome.Garbage.Blobs),
		Snapshots: maps.Clone(x.plan.Outcome.Freed.Snapshots),
	}
	maps.Copy(going.Snapshots, x.plan.Outcome.Garbage.Snapshots)
	held := x.plan.Outcome.Freed.Blobs
	if x.opts.NoGuard { // nothing holds anything
		maps.Copy(going.Blobs, held)
		held = nil
	}
	ctx, end := linger(ctx, x.opts.Finish)
	first, done := make(chan struct{}), make(chan error, 1)
	var trace *disk.Trace
	go func() {
		defer end()
		var err error
		trace, err = disk.NewTrace(ctx, x.Store, x.plan.Inventory, going)
		close(first)
		if err == nil {
			err = trace.AddBlobs(ctx, held)
		}
		done <- err
	}()
	return func() { <-first }, sync.OnceFunc(func() {
		if err := <-done; err != nil {
			x.fail(cause.CodeFilesNotRead, fmt.Errorf("looking for the files on the disk: %w", err))
			return
		}
		x.trace = trace
	})
}

// countFiles makes what is gone weigh what the disk gave back: blobs whose
// files were shorter, and snapshots of which files are left, count less. The
// error names what is left.
func (x *Execution) countFiles(ctx context.Context, gone inventory.Objects) error {
	if x.trace == nil {
		return nil
	}
	for dgst, bytes := range x.trace.Blobs {
		if _, ok := gone.Blobs[dgst]; ok {
			gone.Blobs[dgst] = bytes
		}
	}
	left, err := x.trace.Left(ctx, slices.Collect(maps.Keys(gone.Snapshots)))
	if err != nil {
		x.Report.Verified = false
		return err
	}
	if len(left) == 0 {
		return nil
	}
	for id, entry := range left {
		gone.Snapshots[id] = max(0, gone.Snapshots[id]-entry.Bytes)
	}
	return leftError(left)
}

// leftError says that the files of snapshots are on the disk although
// containerd removed them, and where those of the first are.
func leftError(left map[inventory.SnapshotID]disk.Entry) error {
	first := slices.SortedFunc(maps.Keys(left), inventory.CompareSnapshotIDs)[0]
	var bytes int64
	for _, entry := range left {
		bytes += entry.Bytes
	}
	return &cause.CodeError{Code: cause.CodeFilesLeft, Err: fmt.Errorf("containerd removed %d snapshots but not all of their files: %d bytes are still on the disk, those of the first in %q; a check says how to remove them",
		len(left), bytes, left[first].Path)}
}

// addLeftovers counts what containerd did not know and removed on the way.
func (x *Execution) addLeftovers(garbage *inventory.Amount) error {
	if x.trace == nil {
		return nil
	}
	snapshots, uploads, err := x.trace.Collected()
	for _, entry := range snapshots {
		garbage.AddSnapshot(entry.Bytes)
	}
	for _, entry := range uploads {
		garbage.AddBlob(entry.Bytes)
	}
	return err
}
