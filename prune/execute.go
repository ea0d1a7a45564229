package prune

import (
	"context"

	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
)

// Execute does the plan, or less of it where the store has changed, and
// reports what the disk gave back. At each step everything that was deleted
// can still be put back, by this run or, if it is killed, by the next:
//
//  1. Watch for records that others write from here on. Take the run lease in
//     each namespace that changes. It is the lock. A
//     lease that a dead run left is taken over: what that run deleted and
//     something needs now is put back, and the lease is replaced. An Execute
//     that has returned is over, also for others in its process.
//  2. Look once more, and leave out what changed since the plan. Write the
//     plan as a blob under the lease that refers to all targets: from here on
//     the collector keeps every blob and snapshot of every victim.
//  3. Make the stand-ins, then delete the records; abort abandoned uploads.
//  4. Look again, and re-create each record that something needs by now, or
//     that somebody wrote just before it was deleted.
//  5. Remove the snapshot labels of configs that only build history holds.
//  6. Delete the run leases, the last one synchronously: the one collection.
//     With a grace there is none: a second lease, made in step 2, keeps all.
//  7. Read the store again and count what is gone.
//
// With NoGuard, steps 1 and 2 only look, and step 6 makes and deletes a lease
// for its collection.
//
// When ctx ends, deleting stops and steps 4 to 7 are done for what was
// deleted, for as long as [ExecuteOptions.Finish] allows; so they are when it
// ends later. It also stops when the server is gone,
// which is a *[GoneError] for all that is left. The report is never nil once a
// lease was taken; without one the error is a *[Busy] if another run is
// under way, and a *[GuardError] if the disk does not take it. All errors are
// joined. A plan that is [Plan.Empty] needs no run: its report says so.
func Execute(ctx context.Context, store Store, p *Plan, opts ExecuteOptions) (*Report, error) {
	return run.Execute(ctx, p, store, opts)
}

// ExecuteOptions are the parts of a run that a plan does not decide.
type ExecuteOptions = run.ExecuteOptions

// Event is something that a run has just done. The report tells later
// whether it is still so.
type Event = run.Event

// Report is what a run did, as far as it was seen afterwards.
type Report = run.Report

// Grace is the time in which a run can be undone.
type Grace = run.Grace

// Restored is a record that was put back.
type Restored = run.Restored

// Recovered is a killed run that was finished.
type Recovered = run.Recovered

// Busy says that another run holds the lock of a namespace. It matches
// errdefs.ErrAlreadyExists.
type Busy = lock.Busy

// GoneError says that the server went away while a run deleted. What the run
// had not come to by then it did not try: each record would have told the same.
type GoneError = run.GoneError

// GuardError says that a run removed nothing, because the disk did not take
// the lease or the plan that guard a run.
type GuardError = run.GuardError
