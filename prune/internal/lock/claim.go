package lock

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// ErrFinished is the error of [Locker.Claim] when somebody else has finished the
// stale run, or has claimed it, meanwhile: try to lock again.
var ErrFinished = errors.New("somebody else has finished the interrupted run")

// Claim makes the caller the only process that finishes a stale run. Creating
// a lease is atomic and its ID names the dead run, so of several claimants one
// wins and the others get a *[Busy], as does one that comes so late that the
// winner has the run lease by now. A claimant that died is replaced.
//
// The returned release gives the claim up; call it when the stale run's own
// lease is gone.
func (l Locker) Claim(ctx context.Context, stale *Stale, self Run, now time.Time) (release func(context.Context) error, err error) {
	c := claimant{l, stale.Namespace, self, now}
	if err := c.claim(ctx, stale.Run.Name, nil); err != nil {
		return nil, fmt.Errorf("claiming the interrupted run in namespace %q: %w", stale.Namespace, err)
	}
	if err := l.stillStale(ctx, stale); err != nil {
		return nil, errors.Join(err, c.release(ctx, stale.Run.Name))
	}
	return func(ctx context.Context) error { return c.release(ctx, stale.Run.Name) }, nil
}

// claimant is a run that claims others.
type claimant struct {
	Locker
	namespace string
	self      Run
	now       time.Time
}

// claim takes the claim on a run. One of a claimant that died is replaced, by
// whoever has claimed that one in turn. The path has the IDs of the claims that
// are to be replaced once this one is there.
func (c claimant) claim(ctx context.Context, run string, path []string) error {
	id := ours.KindClaim.ID(run)
	if slices.Contains(path, id) {
		return fmt.Errorf("its claims form a cycle: %w", errdefs.ErrFailedPrecondition)
	}
	err := c.create(ctx, id)
	if !errdefs.IsAlreadyExists(err) {
		return err
	}
	other, err := c.find(ctx, id)
	switch {
	case errdefs.IsNotFound(err):
		return fmt.Errorf("%w: %w", ErrFinished, err)
	case err != nil:
		return fmt.Errorf("reading the claim %q: %w", id, err)
	case !c.Over(other, c.now):
		return &Busy{Namespace: c.namespace, Run: other}
	}
	if err := c.claim(ctx, other.Name, append(path, id)); err != nil {
		return err
	}
	replaced, released := c.replace(ctx, id, other), c.release(ctx, other.Name)
	if replaced == nil && released != nil {
		return errors.Join(released, c.release(ctx, run)) // nobody waits for one that failed
	}
	return errors.Join(replaced, released)
}

// replace puts the caller's claim in the place of that of one who died, and
// whom the caller has claimed, so that nobody else removes it. It may be gone
// since it was read: released, or replaced by an earlier claimant. Whoever
// creates the claim between the deletion and the creation here has it.
func (c claimant) replace(ctx context.Context, id string, dead Run) error {
	err := c.deleteOf(ctx, id, dead.Name, false)
	if err == nil {
		err = c.create(ctx, id)
	}
	if errdefs.IsNotFound(err) || errdefs.IsAlreadyExists(err) {
		return fmt.Errorf("%w: %w", ErrFinished, err)
	}
	return err
}

func (c claimant) create(ctx context.Context, id string) error {
	if _, err := c.Manager.Create(ctx, leases.WithID(id), leases.WithLabels(c.self.labels())); err != nil {
		return fmt.Errorf("creating the claim %q: %w", id, err)
	}
	return nil
}

// release deletes the caller's claim on a run. One that is another's by now
// stays: the caller's has expired and was collected, and somebody else has
// claimed the same run since.
func (c claimant) release(ctx context.Context, run string) error {
	return ignoreGone(c.deleteOf(ctx, ours.KindClaim.ID(run), c.self.Name, false))
}

// stillStale looks whether the run lease is still that of the stale run. Who
// took the run over gives the claim up only after that, so with the claim in
// hand the answer holds.
func (l Locker) stillStale(ctx context.Context, stale *Stale) error {
	found, err := l.find(ctx, ours.RunID)
	switch {
	case errdefs.IsNotFound(err):
		return fmt.Errorf("claiming the interrupted run in namespace %q: %w: %w", stale.Namespace, ErrFinished, err)
	case err != nil:
		return fmt.Errorf("reading the run lease of namespace %q: %w", stale.Namespace, err)
	case found.Name != stale.Run.Name:
		return &Busy{Namespace: stale.Namespace, Run: found}
	default:
		return nil
	}
}
