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
// stale run meanwhile: try to lock again.
var ErrFinished = errors.New("somebody else has finished the interrupted run")

// Claim makes the caller the only process that finishes a stale run. Creating
// a lease is atomic and its ID names the dead run, so of several claimants one
// wins and the others get a *[Busy], as does one that comes so late that the
// winner has the run lease by now. A claimant that died is claimed in turn.
//
// The returned release gives the claims up; call it when the stale run's own
// lease is gone.
func (l Locker) Claim(ctx context.Context, stale *Stale, self Run, now time.Time) (release func(context.Context) error, err error) {
	var claims []claim
	for name := stale.Run.Name; ; {
		id := ours.KindClaim.ID(name)
		if slices.ContainsFunc(claims, func(c claim) bool { return c.id == id }) {
			return nil, fmt.Errorf("claiming the interrupted run in namespace %q: its claims form a cycle: %w", stale.Namespace, errdefs.ErrFailedPrecondition)
		}
		_, err := l.Manager.Create(ctx, leases.WithID(id), leases.WithLabels(self.labels()))
		if err == nil {
			claims = append(claims, claim{id, self.Name})
			break
		}
		if !errdefs.IsAlreadyExists(err) {
			return nil, fmt.Errorf("claiming the interrupted run in namespace %q: %w", stale.Namespace, err)
		}
		other, err := l.find(ctx, id)
		if errdefs.IsNotFound(err) {
			return nil, fmt.Errorf("claiming the interrupted run in namespace %q: %w: %w", stale.Namespace, ErrFinished, err)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the claim %q in namespace %q: %w", id, stale.Namespace, err)
		}
		if !l.Over(other, now) {
			return nil, &Busy{Namespace: stale.Namespace, Run: other}
		}
		claims = append(claims, claim{id, other.Name})
		name = other.Name
	}
	if err := l.stillStale(ctx, stale); err != nil {
		return nil, errors.Join(err, l.release(ctx, claims))
	}
	return func(ctx context.Context) error { return l.release(ctx, claims) }, nil
}

// stillStale looks whether the run lease is still that of the stale run. Who
// took the run over gives the claims up only after that, so with the claims
// in hand the answer holds.
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

// claim is the lease of a run that claims another one.
type claim struct{ id, run string }

// release deletes claims. One that is another's by now stays: it expired, was
// collected, and somebody else has claimed the same run since.
func (l Locker) release(ctx context.Context, claims []claim) error {
	var errs []error
	for _, c := range claims {
		errs = append(errs, ignoreGone(l.deleteOf(ctx, c.id, c.run, false)))
	}
	return errors.Join(errs...)
}
