package root

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/metadata/boltutil"
	"github.com/containerd/errdefs"
)

// rootLeases adds to the lease manager what containerd's service does around
// it: a synchronous delete ends with a garbage collection.
type rootLeases struct {
	leases.Manager
	db     *metadata.DB
	guards rootGuards
}

// Delete refuses a synchronous delete inside a Batch: the collection waits for
// open transactions, this one among them.
func (m rootLeases) Delete(ctx context.Context, lease leases.Lease, opts ...leases.DeleteOpt) error {
	var o leases.DeleteOptions
	for _, opt := range opts {
		if err := opt(ctx, &o); err != nil {
			return err
		}
	}
	if !o.Synchronous {
		return m.Manager.Delete(ctx, lease, opts...)
	}
	if _, ok := boltutil.Transaction(ctx); ok {
		return fmt.Errorf("delete lease %q synchronously within a batch: %w", lease.ID, errdefs.ErrFailedPrecondition)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := m.Manager.Delete(ctx, lease, opts...); err != nil {
		return err
	}
	// Without the cancellation: a collection that is cancelled while it marks
	// leaves a goroutine behind (metadata.DB.getMarked), and the lease is gone.
	ctx = context.WithoutCancel(ctx)
	_, err := m.db.GarbageCollect(ctx)
	// What fails on a snapshotter is only logged by the collection.
	if err := errors.Join(err, m.guards.finish(ctx), m.guards.err()); err != nil {
		return fmt.Errorf("collect garbage after deleting lease %q: %w", lease.ID, err)
	}
	return nil
}
