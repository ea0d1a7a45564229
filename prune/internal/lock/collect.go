package lock

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

const (
	// collectTime is how long the lease that asks for a collection lasts if its
	// maker is killed.
	collectTime = time.Hour
	// abandonTime bounds the deletion of the lease when ctx has ended.
	abandonTime = 10 * time.Second
)

// Collect asks containerd for a garbage collection, which is always one of all
// namespaces, and returns when it is done. It makes a lease of its own in the
// namespace of ctx and deletes it synchronously. A run's name is never used twice,
// so that whoever deletes its ID deletes this lease: nothing of anybody else's is
// touched but what containerd's own rules let go, such as leases that have
// expired.
//
// What fill creates under the context that it gets belongs to that lease, and
// goes with the collection. fill may be nil.
func (l Locker) Collect(ctx context.Context, run Run, now time.Time, fill func(context.Context) error) error {
	run.Expires = now.Add(collectTime)
	lease := leases.Lease{ID: ours.KindCollect.ID(run.Name)}
	_, err := l.Manager.Create(ctx, leases.WithID(lease.ID), leases.WithLabels(run.labels()))
	if err != nil && !errdefs.IsAlreadyExists(err) { // the run's own, which it could not delete
		return fmt.Errorf("creating the lease that triggers a garbage collection: %w", err)
	}
	var filled error
	if fill != nil {
		filled = fill(leases.WithLease(ctx, lease.ID))
	}
	opts := []leases.DeleteOpt{leases.SynchronousDelete}
	if ctx.Err() != nil { // the next collection takes what it held
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), abandonTime)
		defer cancel()
		opts = nil
	}
	if err := l.deleteWatched(ctx, lease, opts...); err != nil {
		return errors.Join(filled, fmt.Errorf("deleting the lease that triggers a garbage collection: %w", err))
	}
	return filled
}

// WriteRefuse writes a small blob that nothing but the lease of ctx holds. A
// collection that removes a blob makes containerd compare the files of its
// content store with what it knows.
func WriteRefuse(ctx context.Context, store content.Store, run Run) error {
	doc := []byte("made by run " + run.Name + " of ctr-prune for containerd to remove\n")
	desc := ocispec.Descriptor{MediaType: "text/plain", Digest: digest.FromBytes(doc), Size: int64(len(doc))}
	if err := writeOnce(ctx, store, ours.KindCollect.ID(run.Name), doc, desc, nil); err != nil {
		return fmt.Errorf("writing a blob for the collection to remove: %w", err)
	}
	return nil
}
