package run

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/disk"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// ExecuteOptions are the settings of a run that do not belong to its plan.
type ExecuteOptions struct {
	// Now is the clock. Required.
	Now func() time.Time
	// Sources and Procfs are as for [read.Read].
	Sources []clients.Source
	Procfs  proc.Procfs
	// Progress, if not nil, is told how far a stage has come.
	Progress func(read.Progress)
	// Event, if not nil, is told what happened when it does, one call at a
	// time.
	Event func(Event)
	// LeaseTTL is how long the run lease lasts when the run is killed and
	// nobody recovers it; an hour if zero.
	LeaseTTL time.Duration
	// Grace, if positive, keeps what is removed for so long instead of
	// collecting it: undo.Undo can restore it, and containerd collects it when
	// the time is over.
	Grace time.Duration
	// NoGuard runs without the run lease and the plan blob, for a disk that
	// does not take them. Everything is looked at as otherwise, and a run under
	// way is respected; but no other run is kept out, nothing holds what is
	// deleted, and a killed run is not finished by the next. No Grace goes
	// with it.
	NoGuard bool
	// Finish bounds what is still done after an interruption, and then once
	// more the measuring; ten minutes if zero. Without an interruption nothing
	// of it is bounded: a collection takes as long as it takes.
	Finish time.Duration
	// MaxStall is how long others should wait at most for one garbage collection,
	// because nobody can create a container while it removes snapshots: a run that
	// removes more gives it up in slices, with a collection each. A collection
	// also looks through the whole store; if there is little time left for more,
	// it is given as much to remove as takes as long again.
	// DefaultMaxStall if zero; no limit if negative. Without a guard, with a
	// grace and in a stopped store there is one collection at most.
	MaxStall time.Duration
	// PluginTime is as for [read.Read]. A collection is not waited for any longer
	// when a snapshotter has not answered for three times as long.
	PluginTime time.Duration
}

// The times of a run, where its options say nothing else.
const (
	DefaultLeaseTTL = time.Hour
	DefaultFinish   = 10 * time.Minute
	DefaultMaxStall = 250 * time.Millisecond
	// UnlockTime bounds giving locks back when a run ends before it began.
	UnlockTime = 10 * time.Second
)

// Execution is one run of a plan.
type Execution struct {
	plan  *plan.Plan
	Store store.Store
	opts  ExecuteOptions
	run   lock.Run
	// end marks the run as over for other runs.
	end     func()
	locker  lock.Locker
	Batches []plan.Batch
	locked  []string
	// baseline is what the store held at the run's first look, before it
	// released anything, including what a killed run left: what disappeared
	// earlier, another client released.
	baseline inventory.Objects
	// holdings are what keeps the targets of the records, by namespace, and
	// released are the targets of which that was taken back, for a collection to
	// remove.
	holdings map[string][]lock.Holding
	released map[[2]string]bool
	// emptied are the snapshotters from which the plan removes snapshots.
	emptied []string
	// sight is from when the run last looked what needs what it deleted; nil if it
	// has deleted nothing.
	sight *sight
	// trace is where on the disk the objects of the plan were; nil with a grace,
	// which frees nothing. It is completed meanwhile: remembered waits for it.
	trace      *disk.Trace
	remembered func()

	// attempted are the records that this run deleted, or may have, by
	// namespace.
	attempted map[string][]rules.Decision
	// rewritten are the records with an expiry that were left alone because
	// somebody wrote them: the collection may take them all the same.
	rewritten []rules.Decision
	// Watch sees what others write meanwhile.
	Watch *watch
	// Deleted are the records of which a deletion was answered, by namespace and
	// name, with the time of the answer.
	Deleted map[[2]string]time.Time
	// unleased are the configs that lost their snapshot labels.
	unleased []gc.Orphan
	// completeness says what images lack, of one namespace of the last look.
	completeness manifests.Completeness
	// unsure are the records whose deletion was cut short before an answer
	// came, unaborted counts the uploads that were not tried.
	unsure    []rules.Decision
	unaborted int
	// stop ends the deleting, gone is the error for which it was: how the
	// server failed to answer anything.
	stop   func()
	gone   error
	Report *Report
	Errs   []error
	Told   map[string]struct{} // the texts of errs
}

// Execute carries out the plan, skipping what has changed in the store, and
// reports the space that was really freed. At each step, everything deleted and not
// given up yet can still be restored, by this run or, if it is killed, by the next one:
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
//  4. Look at what has appeared since. If that may need anything of what was deleted,
//     or not all went as planned, read the store again, and re-create each record that
//     is in use by now, or that another client wrote just before it was deleted.
//  5. Remove the snapshot labels from configs that only build history holds.
//  6. Give up what was deleted in slices, each of which a garbage collection removes,
//     as [ExecuteOptions.MaxStall] says, and look as in step 4 before each. The last
//     slice, often the only one, goes with the run leases, of which the last one is
//     deleted synchronously. With a grace period nothing is collected: a second
//     lease, created in step 2, keeps everything.
//  7. Read the store again and count what was freed.
//
// With NoGuard, steps 1 and 2 write nothing, and step 6 creates and deletes a
// lease to trigger the collection.
//
// When ctx ends, the run stops deleting, and carries out steps 4 to 7 for what
// was deleted, within the time that [ExecuteOptions.Finish] allows. It also
// stops when containerd no longer answers, with one *[GoneError] for everything
// that is left. The report is never nil once a lease was taken; otherwise the
// error is a *[lock.Busy] if another run is in progress, or a *[GuardError] if
// the disk is full or read-only. All errors are joined. A plan that removes more
// than the fuse of its policy file allows is not executed; the error, which is also
// in the report, has the code fuse. A plan that is
// [plan.Plan.Empty] needs no run, and its report says so.
func Execute(ctx context.Context, p *plan.Plan, store store.Store, opts ExecuteOptions) (*Report, error) {
	if err := opts.checkGuard(); err != nil {
		return nil, err
	}
	switch {
	case p.Blocked != nil:
		return nothingDone(p), p.Blocked
	case p.Fuse != nil:
		report := nothingDone(p)
		report.Errors = cause.Failures(cause.CodeFuse, p.Fuse)
		return report, p.Fuse
	case p.Empty():
		return nothingDone(p), nil
	}
	x := newExecution(p, store, opts)
	defer x.end()
	x.Watch = x.WatchRecords(ctx)
	defer x.Watch.Stop()
	if err := x.lock(ctx); err != nil {
		return x.refused(ctx, err)
	}
	if err := x.prepare(ctx); err != nil {
		x.remembered()
		x.fail(cause.CodeNothingRemoved, unguarded(ctx, x.Store, fmt.Errorf("nothing was removed: %w", err)))
		x.fail(cause.CodeNotUnlocked, x.abandon(ctx))
		x.Report.Interrupted = ctx.Err() != nil
		return x.Report, x.err()
	}
	x.delete(ctx)
	cut := ctx.Err() != nil
	x.remembered()
	x.finish(ctx)
	x.Report.Interrupted = cut && x.undone()
	return x.Report, x.err()
}

func newExecution(p *plan.Plan, store store.Store, opts ExecuteOptions) *Execution {
	if opts.LeaseTTL == 0 {
		opts.LeaseTTL = DefaultLeaseTTL
	}
	if opts.Finish == 0 {
		opts.Finish = DefaultFinish
	}
	if opts.MaxStall == 0 {
		opts.MaxStall = DefaultMaxStall
	}
	start := opts.Now()
	report := NewReport(p)
	name := runName(start)
	if opts.Grace > 0 {
		report.Grace = &Grace{Run: name, Until: start.Add(opts.Grace)}
	}
	owner, end := opts.Procfs.Begin()
	return &Execution{
		plan: p, Store: store, opts: opts,
		run:       lock.Run{Name: name, Owner: owner, Start: start, Expires: start.Add(opts.LeaseTTL)},
		end:       end,
		locker:    lock.Locker{Manager: store.Leases(), Procfs: opts.Procfs, Hangs: opts.hangs(store, p.Inventory)},
		Batches:   p.Batches(),
		attempted: make(map[string][]rules.Decision),
		holdings:  make(map[string][]lock.Holding),
		released:  make(map[[2]string]bool),
		emptied:   emptiedBy(p),
		Deleted:   make(map[[2]string]time.Time),
		Report:    report,
		Told:      make(map[string]struct{}),

		remembered: func() {},
	}
}

// nothingDone is the report of a plan that needs no run.
func nothingDone(p *plan.Plan) *Report {
	r := NewReport(p)
	r.Measured = true
	return r
}

// runName makes a name that sorts by time and is unlike that of any other run.
func runName(start time.Time) string {
	return start.UTC().Format("20060102-150405-") + strings.ToLower(rand.Text()[:6])
}

// lockFailure is the code of an error for which a run did not begin.
func lockFailure(err error) cause.Code {
	if busy := (*lock.Busy)(nil); errors.As(err, &busy) {
		return cause.CodeBusy
	}
	return cause.CodeNothingRemoved
}

// refused ends a run that could not take its locks. What it has finished of
// others by then it reports.
func (x *Execution) refused(ctx context.Context, cause error) (*Report, error) {
	err := errors.Join(unguarded(ctx, x.Store, cause), x.abandon(ctx))
	if len(x.Report.Recovered) == 0 && len(x.Errs) == 0 {
		return nil, err
	}
	x.fail(lockFailure(err), err)
	return x.Report, x.err()
}

// prepare leaves out what changed since the plan and makes sure that nothing
// of the rest can be lost.
func (x *Execution) prepare(ctx context.Context) error {
	noted := func() {}
	if x.opts.Grace <= 0 {
		noted, x.remembered = x.rememberFiles(ctx)
	}
	if err := x.revalidate(ctx); err != nil {
		return err
	}
	noted() // what the run itself is about to write is no leftover
	if err := x.Watch.failure(); err != nil || x.opts.NoGuard {
		return err
	}
	for i := range x.Batches {
		b := &x.Batches[i]
		ctx := store.InNamespace(ctx, b.Namespace.Name)
		if err := x.writeDown(ctx, b); err != nil {
			return err
		}
		if err := x.grant(ctx, *b); err != nil {
			return err
		}
	}
	return nil
}

// Reading are the options of a read that goes with a run.
func (o ExecuteOptions) Reading() read.ReadOptions {
	return read.ReadOptions{Sources: o.Sources, Procfs: o.Procfs, Progress: o.Progress, PluginTime: o.PluginTime}
}
