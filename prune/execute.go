package prune

import (
	"context"

	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
)

// Execute carries out the plan, skipping what has changed in the store, and
// reports the space that was really freed. At each step, everything deleted so
// far can still be restored, by this run or, if it is killed, by the next one:
//
//  1. Watch for records that other clients write from now on. Take the run
//     lease, which is the lock, in each namespace to be changed. A lease left
//     by a dead run is taken over: records that it deleted and that are needed
//     now are restored, and the lease is replaced. Once an Execute has
//     returned, other runs in the same process can take its leases over too.
//  2. Read the store again, and leave out what has changed since the plan.
//     Write the plan as a blob, held by the lease, that refers to all targets:
//     from now on garbage collection keeps every blob and snapshot of the
//     images to be removed.
//  3. Create the stand-ins, then delete the records; abort abandoned uploads.
//  4. Read the store again, and re-create each record that is in use by now, or
//     that another client wrote just before it was deleted.
//  5. Remove the snapshot labels from configs that only build history holds.
//  6. Delete the run leases, the last one synchronously: this is the only
//     garbage collection. With a grace period there is none: a second lease,
//     created in step 2, keeps everything.
//  7. Read the store again and count what was freed.
//
// With NoGuard, steps 1 and 2 write nothing, and step 6 creates and deletes a
// lease to trigger the collection.
//
// When ctx ends, the run stops deleting, and carries out steps 4 to 7 for what
// was deleted, within the time that [ExecuteOptions.Finish] allows. It also
// stops when containerd no longer answers, with one *[GoneError] for everything
// that is left. The report is never nil once a lease was taken; otherwise the
// error is a *[Busy] if another run is in progress, or a *[GuardError] if the
// disk is full or read-only. All errors are joined. A plan that is [Plan.Empty]
// needs no run, and its report says so.
func Execute(ctx context.Context, store Store, p *Plan, opts ExecuteOptions) (*Report, error) {
	return run.Execute(ctx, p, store, opts)
}

// ExecuteOptions are the settings of a run that do not belong to its plan.
type ExecuteOptions = run.ExecuteOptions

// Event is something that a run has just done. Whether it is final is in the
// report.
type Event = run.Event

// Report is what a run did, as measured afterwards.
type Report = run.Report

// Grace is the time in which a run can be undone.
type Grace = run.Grace

// Restored is a record that a run or an undo restored.
type Restored = run.Restored

// Recovered is a killed run that this run finished.
type Recovered = run.Recovered

// Busy says that another run holds the lock of a namespace. It matches
// errdefs.ErrAlreadyExists.
type Busy = lock.Busy

// GoneError says that containerd stopped answering while a run was deleting.
// The run did not try the remaining records, because each would have failed in
// the same way.
type GoneError = run.GoneError

// GuardError says that a run removed nothing, because the lease or the plan
// that protects a run could not be written to the disk.
type GuardError = run.GuardError
