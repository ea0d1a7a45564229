package lock

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"

	ours "github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
)

// ownerLabel has who holds a lease of ours.
const ownerLabel = "ctr-prune/owner"

// Run describes one run of ctr-prune as its lease records it.
type Run struct {
	// Name is unique to the run.
	Name  string     `json:"name"`
	Owner proc.Owner `json:"owner"`
	Start time.Time  `json:"start"`
	// Expires is when containerd's collector may drop the lease.
	Expires time.Time `json:"expires"`
}

// Busy is the error of [Locker.Lock] when another run holds the lease.
type Busy struct {
	Namespace string
	Run       Run
}

func (e *Busy) Error() string {
	since := fmt.Sprintf("another run is in progress in namespace %q: %s, since %s", e.Namespace, e.Run.Owner, e.Run.Start.Format(time.RFC3339))
	if e.Run.Expires.IsZero() {
		return since + fmt.Sprintf("; its lease never expires: if there is no such run, delete it with ctr -n %s leases delete %s", e.Namespace, ours.RunID)
	}
	return since + fmt.Sprintf("; try again when it has ended (its lease expires at %s)", e.Run.Expires.Format(time.RFC3339))
}

// Is makes a Busy match errdefs.ErrAlreadyExists.
func (e *Busy) Is(target error) bool { return target == errdefs.ErrAlreadyExists }

// Locker takes and frees run leases.
type Locker struct {
	Manager leases.Manager
	Procfs  proc.Procfs
	// Hangs, if not nil, is called while a collection is waited for. It returns an
	// [*UnendedError] when that may never end, because a snapshotter does not
	// answer, and nil when its context ends.
	Hangs func(context.Context) error
}

// lockTries bounds how often a run that ends just then is waited for. Where
// runs follow each other closely, a collection can hold up each try until the
// next run has the lease and is about to end as well.
const lockTries = 20

// Lock takes the run lease of the namespace of ctx. When a live run holds it
// the error is a *[Busy]; when a dead one does, the error is a *[Stale].
func (l Locker) Lock(ctx context.Context, namespace string, run Run, now time.Time) error {
	for try := 1; ; try++ {
		_, err := l.Manager.Create(ctx, leases.WithID(ours.RunID), leases.WithLabels(run.labels()))
		if err == nil {
			return nil
		}
		if !errdefs.IsAlreadyExists(err) {
			return fmt.Errorf("creating the run lease %q in namespace %q: %w", ours.RunID, namespace, err)
		}
		found, err := l.find(ctx, ours.RunID)
		if errdefs.IsNotFound(err) && try < lockTries {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading the run lease of namespace %q: %w", namespace, err)
		}
		return l.held(namespace, found, now)
	}
}

// Free looks whether [Locker.Lock] would take the run lease of the namespace of
// ctx, and returns its error if not. It writes nothing.
func (l Locker) Free(ctx context.Context, namespace string, now time.Time) error {
	found, err := l.find(ctx, ours.RunID)
	switch {
	case errdefs.IsNotFound(err):
		return nil
	case err != nil:
		return fmt.Errorf("reading the run lease of namespace %q: %w", namespace, err)
	default:
		return l.held(namespace, found, now)
	}
}

// held is the error for a run lease that is there.
func (l Locker) held(namespace string, run Run, now time.Time) error {
	if l.Over(run, now) {
		return &Stale{Namespace: namespace, Run: run}
	}
	return &Busy{Namespace: namespace, Run: run}
}

// Stale is the error of [Locker.Lock] when the lease belongs to a run that
// ended without freeing it. Its work has to be finished first.
type Stale struct {
	Namespace string
	Run       Run
}

func (e *Stale) Error() string {
	return fmt.Sprintf("the run of %s in namespace %q was interrupted", e.Run.Owner, e.Namespace)
}

// Over says whether a run has ended: its owner is provably dead or its lease
// is past its expiry.
func (l Locker) Over(run Run, now time.Time) bool {
	return (!run.Expires.IsZero() && now.After(run.Expires)) || l.Procfs.Dead(run.Owner)
}

func (l Locker) find(ctx context.Context, id string) (Run, error) {
	all, err := l.Manager.List(ctx, "id=="+strconv.Quote(id))
	if err != nil {
		return Run{}, err
	}
	for _, lease := range all {
		if lease.ID == id {
			run, _ := ParseRun(lease)
			return run, nil
		}
	}
	return Run{}, fmt.Errorf("lease %q has been removed again: %w", id, errdefs.ErrNotFound)
}

func (r Run) labels() map[string]string {
	return map[string]string{
		ours.RunLabel:    r.Name,
		ownerLabel:       r.Owner.Encode(),
		ours.ExpireLabel: r.Expires.UTC().Format(time.RFC3339),
	}
}

// ParseRun reads the run that a lease of ours records; ok is false for the
// leases of others.
func ParseRun(lease leases.Lease) (run Run, ok bool) {
	name, ok := lease.Labels[ours.RunLabel]
	expires, _ := ours.Expiry(lease)
	return Run{Name: name, Owner: proc.Decode(lease.Labels[ownerLabel]), Start: lease.CreatedAt, Expires: expires}, ok
}
