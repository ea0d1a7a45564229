package lock

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// Keep makes the grace lease of a run in the namespace of ctx. It holds what
// the run lease holds, and the given resources, until run.Expires.
func (l Locker) Keep(ctx context.Context, run Run, resources []leases.Resource) error {
	lease, err := l.Manager.Create(ctx, leases.WithID(ours.KindGrace.ID(run.Name)), leases.WithLabels(run.labels()))
	if err != nil {
		return fmt.Errorf("creating the grace lease of run %s: %w", run.Name, err)
	}
	held, err := l.Manager.ListResources(ctx, leases.Lease{ID: ours.RunID})
	if err != nil {
		return fmt.Errorf("listing what the run lease holds: %w", err)
	}
	for _, resource := range append(held, resources...) {
		if err := l.Manager.AddResource(ctx, lease, resource); err != nil {
			return fmt.Errorf("adding %s %s to the grace lease of run %s: %w", resource.Type, resource.ID, run.Name, err)
		}
	}
	return nil
}

// Kept passes the documents that the grace lease of a run holds to visit, as
// [Held] does.
func Kept(ctx context.Context, manager leases.Manager, blobs content.Store, run string, visit func(doc []byte) error) error {
	return visitPlans(ctx, manager, blobs, leases.Lease{ID: ours.KindGrace.ID(run)}, visit)
}

// DropGrace deletes the grace lease of a run. With collect it returns after
// containerd has collected what the lease held, and says whether it has, as
// [Locker.Unlock] does. A lease of that ID that is not the run's is left alone.
func (l Locker) DropGrace(ctx context.Context, run string, collect bool) (collected bool, err error) {
	err = l.deleteOf(ctx, ours.KindGrace.ID(run), run, collect)
	if ignoreGone(err) != nil {
		return collect && IsUnended(err), fmt.Errorf("deleting the grace lease of run %s: %w", run, err)
	}
	return collect && err == nil, nil
}

// ExtendGrace makes a lease in the namespace of ctx that holds what the grace
// lease of a run holds, whatever becomes of that one, and what is made in the
// context that is returned. It is given up by the function that is returned, or
// expires. The error matches errdefs.ErrNotFound if the run has no grace lease
// any more.
func (l Locker) ExtendGrace(ctx context.Context, run string, expires time.Time) (within context.Context, release func(context.Context) error, err error) {
	held, err := l.Manager.ListResources(ctx, leases.Lease{ID: ours.KindGrace.ID(run)})
	if err != nil {
		return ctx, nil, fmt.Errorf("listing what the grace lease of run %s holds: %w", run, err)
	}
	labels := Run{Name: run, Expires: expires}.labels()
	lease, err := l.Manager.Create(ctx, leases.WithID(ours.KindUndo.ID(run+"-"+rand.Text()[:6])), leases.WithLabels(labels))
	if err != nil {
		return ctx, nil, fmt.Errorf("creating a lease to hold what run %s removed: %w", run, err)
	}
	release = func(ctx context.Context) error {
		if err := l.delete(ctx, lease.ID, false); ignoreGone(err) != nil {
			return err
		}
		return nil
	}
	for _, resource := range held {
		if err := l.Manager.AddResource(ctx, lease, resource); err != nil {
			return ctx, release, fmt.Errorf("adding %s %s to lease %q: %w", resource.Type, resource.ID, lease.ID, err)
		}
	}
	return leases.WithLease(ctx, lease.ID), release, nil
}
