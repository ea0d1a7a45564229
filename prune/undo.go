package prune

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// Runs reads the store and lists the runs that can be undone, newest first.
func Runs(ctx context.Context, store Store, now time.Time, opts ReadOptions) ([]Run, error) {
	return undo.Runs(ctx, store, now, opts)
}

// Run is a run that has a grace period and can still be undone.
type Run = undo.Run

// Undo restores the records that a run removed, with their labels and the
// snapshot labels of their configs, and ends the run's grace period once all of
// them are back. A name that another image has taken meanwhile is not changed,
// and is reported. When ctx ends, the record that is being restored is finished, and
// no other is begun.
func Undo(ctx context.Context, store Store, run Run, opts ExecuteOptions) (*Undone, error) {
	return undo.Undo(ctx, store, run, opts)
}

// Undone is what [Undo] did.
type Undone = undo.Undone

// Drop ends the grace period of a run, so that containerd collects what it
// held, and compares the store before and after to report what was freed. When ctx
// ends, the namespace that was begun is finished, and no other is begun.
func Drop(ctx context.Context, store Store, run Run, opts ExecuteOptions) (Dropped, error) {
	return undo.Drop(ctx, store, run, opts)
}

// Dropped is the result of dropping a run.
type Dropped = undo.Dropped

// Leases reads the store and lists the leases of all namespaces, with what only
// that lease holds.
func Leases(ctx context.Context, store Store, now time.Time, opts ReadOptions) ([]LeaseInfo, error) {
	return undo.Leases(ctx, store, now, opts)
}

// LeaseInfo describes a lease for people.
type LeaseInfo = undo.LeaseInfo

// PruneLeases finishes the interrupted runs among the listed leases, requests a
// garbage collection, and compares the store before and after to report what
// was freed. It never deletes another client's lease itself: the owner of a
// lease that [Leases] listed as expired may have created it again under the
// same ID, whereas the collection removes only what has expired when it runs.
// It covers all namespaces.
func PruneLeases(ctx context.Context, store Store, listed []LeaseInfo, opts ExecuteOptions) (*PrunedLeases, error) {
	return undo.PruneLeases(ctx, store, listed, opts)
}

// PrunedLeases is what happened to the leases that had expired or that
// interrupted runs had left.
type PrunedLeases = undo.PrunedLeases
