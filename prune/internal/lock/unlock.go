package lock

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// soon is how long before its expiry a lease counts as one that may be gone at
// any moment: more than a deletion takes to arrive.
const soon = time.Minute

// mayExpire says whether containerd may collect the lease of a run before a
// deletion of it arrives.
func mayExpire(run Run, now time.Time) bool {
	return !run.Expires.IsZero() && now.Add(soon).After(run.Expires)
}

// Unlock deletes the lease that run has taken in the namespace of ctx. With
// collect it returns only after containerd has collected garbage, once, with
// the lease no longer holding anything, and says whether it has: where there
// was no lease to delete, nothing was collected.
//
// Past the expiry containerd may have collected the lease, and another run may
// have taken the namespace over. That one's lease has the same ID, and is left
// alone with an error that matches errdefs.ErrFailedPrecondition.
func (l Locker) Unlock(ctx context.Context, run Run, now time.Time, collect bool) (collected bool, err error) {
	found, err := l.find(ctx, ours.RunID)
	switch {
	case errdefs.IsNotFound(err) && now.After(run.Expires):
		return false, fmt.Errorf("the run lease is gone, because it expired at %s before the run had ended: %w", run.Expires.Format(time.RFC3339), errdefs.ErrFailedPrecondition)
	case errdefs.IsNotFound(err):
		return false, nil // somebody has deleted it
	case err != nil:
		return false, fmt.Errorf("reading the run lease %q: %w", ours.RunID, err)
	case found.Name != run.Name:
		return false, fmt.Errorf("the run lease now belongs to %s, because this run's expired at %s before it had ended: %w", found.Owner, run.Expires.Format(time.RFC3339), errdefs.ErrFailedPrecondition)
	}
	return l.end(ctx, run, run, now, collect)
}

// UnlockStale removes the run lease of a run that has ended, for self, which
// has claimed it. If it is gone, or another run's by now, nothing is done:
// whoever locks next will see.
func (l Locker) UnlockStale(ctx context.Context, stale *Stale, self Run, now time.Time) error {
	found, err := l.find(ctx, ours.RunID)
	if errdefs.IsNotFound(err) || err == nil && found.Name != stale.Run.Name {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the run lease %q: %w", ours.RunID, err)
	}
	_, err = l.end(ctx, stale.Run, self, now, false)
	return err
}

// end removes a run lease that was the run's a moment ago. Its ID is that of
// every run's lease, and containerd deletes by ID alone. While it lasts, nobody
// but its owner, or who has claimed it, deletes it, so that it is still the
// same. Once it may have expired, a collection could take it and another run
// could make its own between the look and the deletion: then a collection is
// asked for instead, which takes what has expired and nothing else.
func (l Locker) end(ctx context.Context, run, self Run, now time.Time, collect bool) (collected bool, err error) {
	if !mayExpire(run, now) {
		err := l.delete(ctx, ours.RunID, collect)
		return collect && (err == nil || IsUnended(err)), ignoreGone(err)
	}
	if err := l.Collect(ctx, self, now, nil); err != nil {
		return false, err
	}
	// If it is there all the same, it lasts by containerd's clock, and then
	// nobody else can have it.
	err = l.deleteOf(ctx, ours.RunID, run.Name, false)
	return errdefs.IsNotFound(err), ignoreGone(err)
}

// DropLeftover deletes a lease of a run that has ended: a claim, or one that
// asked for a collection. The ID of the latter is never made again. That of a
// claim is made again only by those who would finish the same run. So it may be
// dropped by one who has taken, or could take, the run lease of the namespace:
// the run that was claimed is finished then.
func (l Locker) DropLeftover(ctx context.Context, id string, now time.Time) error {
	found, err := l.find(ctx, id)
	switch {
	case errdefs.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("reading lease %q: %w", id, err)
	case !l.Over(found, now):
		return nil // it is not what was left
	}
	return ignoreGone(l.delete(ctx, id, false))
}

// deleteOf deletes a lease if it is that of the run: containerd deletes by ID
// alone, whose ever the lease is by then. The error matches errdefs.ErrNotFound
// if the run has no such lease.
func (l Locker) deleteOf(ctx context.Context, id, run string, collect bool) error {
	found, err := l.find(ctx, id)
	if err != nil {
		return fmt.Errorf("reading lease %q: %w", id, err)
	}
	if found.Name != run {
		return fmt.Errorf("lease %q is not that of run %s: %w", id, run, errdefs.ErrNotFound)
	}
	return l.delete(ctx, id, collect)
}

func (l Locker) delete(ctx context.Context, id string, collect bool) error {
	var opts []leases.DeleteOpt
	if collect {
		opts = append(opts, leases.SynchronousDelete)
	}
	if err := l.deleteWatched(ctx, leases.Lease{ID: id}, opts...); err != nil {
		return fmt.Errorf("deleting lease %q: %w", id, err)
	}
	return nil
}

// ignoreGone drops the error of a deletion that has nothing to delete.
func ignoreGone(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
