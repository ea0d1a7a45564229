package prune

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// Runs reads the store and lists the runs that can be undone, the newest first.
func Runs(ctx context.Context, store Store, now time.Time, opts ReadOptions) ([]Run, error) {
	return undo.Runs(ctx, store, now, opts)
}

// Run is a run that was given a grace and can still be undone.
type Run = undo.Run

// Undo puts the records of a run back, with their labels and the snapshot
// labels of their configs, and gives the run's grace up if all of them are
// back. A name that was taken meanwhile stays as it is and is reported.
func Undo(ctx context.Context, store Store, run Run, now time.Time) (*Undone, error) {
	return undo.Undo(ctx, store, run, now)
}

// Undone is what [Undo] did.
type Undone = undo.Undone

// Drop gives up the grace of a run, so that containerd collects what it held,
// and tells by comparing what is gone.
func Drop(ctx context.Context, store Store, run Run, now time.Time, opts ReadOptions) (Dropped, error) {
	return undo.Drop(ctx, store, run, now, opts)
}

// Dropped is what came of dropping a run.
type Dropped = undo.Dropped

// Leases reads the store and lists the leases of all namespaces with what each
// alone holds.
func Leases(ctx context.Context, store Store, now time.Time, opts ReadOptions) ([]LeaseInfo, error) {
	return undo.Leases(ctx, store, now, opts)
}

// LeaseInfo is a lease as a user meets it.
type LeaseInfo = undo.LeaseInfo

// PruneLeases finishes the interrupted runs among the listed leases, has
// containerd collect, and tells by comparing what is gone. It deletes nobody's
// lease: what [Leases] has listed as expired may be its owner's again
// by now, under the same ID, while the collection goes by what is true at its
// moment. It is one of all namespaces.
func PruneLeases(ctx context.Context, store Store, listed []LeaseInfo, opts ExecuteOptions) (*PrunedLeases, error) {
	return undo.PruneLeases(ctx, store, listed, opts)
}

// PrunedLeases is what became of the leases that had expired or that runs of
// ours had left.
type PrunedLeases = undo.PrunedLeases
