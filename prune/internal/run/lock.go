package run

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/containerd/v2/core/leases"

	ours "github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/journal"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// maxTakeovers bounds how often a run tries again because others finish, or
// fail, in between.
const maxTakeovers = 10

// lock takes the run lease of each namespace, in order of their names, so that
// of two runs one gets all it wants.
func (x *Execution) lock(ctx context.Context) error {
	for _, b := range x.Batches {
		ctx := store.InNamespace(ctx, b.Namespace.Name)
		err := x.takeOrFinish(ctx, b.Namespace)
		for try := 1; errors.Is(err, lock.ErrFinished) && try < maxTakeovers; try++ {
			err = x.takeOrFinish(ctx, b.Namespace)
		}
		if err != nil {
			return err
		}
		if err := x.dropLeftovers(ctx, b.Namespace); err != nil {
			return err
		}
	}
	return nil
}

// takeOrFinish takes the run lease of a namespace, from a killed run if one has
// it.
func (x *Execution) takeOrFinish(ctx context.Context, ns *inventory.Namespace) error {
	err := x.take(ctx, ns)
	var stale *lock.Stale
	if errors.As(err, &stale) {
		err = x.takeOver(ctx, ns, stale)
	}
	return err
}

// take takes the run lease of a namespace, or without a guard only looks
// whether it could.
func (x *Execution) take(ctx context.Context, ns *inventory.Namespace) error {
	if x.opts.NoGuard {
		return x.locker.Free(ctx, ns.Name, x.opts.Now())
	}
	err := x.locker.Lock(ctx, ns.Name, x.run, x.opts.Now())
	if err == nil {
		x.locked = append(x.locked, ns.Name)
	}
	return err
}

// takeOver finishes a killed run up to its collection, which this run's own
// collection then does for both.
func (x *Execution) takeOver(ctx context.Context, ns *inventory.Namespace, stale *lock.Stale) error {
	release, err := x.locker.Claim(ctx, stale, x.run, x.opts.Now())
	if err != nil {
		return err
	}
	recovered, err := x.recover(ctx, ns, stale.Run)
	if err != nil {
		return errors.Join(fmt.Errorf("finishing the interrupted run of %s in namespace %q: %w", stale.Run.Owner, ns.Name, err), release(ctx))
	}
	x.Report.Recovered = append(x.Report.Recovered, recovered)
	if err := x.locker.UnlockStale(ctx, stale, x.run, x.opts.Now()); err != nil {
		return errors.Join(err, release(ctx))
	}
	err = x.take(ctx, ns)
	if released := release(ctx); released != nil {
		return errors.Join(err, released)
	}
	if errors.As(err, &stale) {
		return fmt.Errorf("%w, and another run has failed since: %w", lock.ErrFinished, err)
	}
	return err
}

// recover restores what the killed run deleted and something needs by now.
func (x *Execution) recover(ctx context.Context, ns *inventory.Namespace, run lock.Run) (Recovered, error) {
	recovered := Recovered{Namespace: ns.Name, Run: run.Name, Owner: run.Owner.String(), Started: run.Start}
	plan, err := journal.HeldPlan(ctx, x.Store)
	gone := (*lock.LostPlan)(nil)
	if err != nil && !errors.As(err, &gone) {
		return recovered, err
	}
	if err == nil {
		err = plan.Missing()
	}
	if err != nil {
		// It will not come back: what is left is to end the run, and to say it.
		x.fail(cause.CodePlanLost, fmt.Errorf("the record of what %s deleted from namespace %q is lost, so not all of it can be restored: %w; if a container lacks its image, pull it again", run.Owner, ns.Name, err))
	}
	lost, orphans := DecisionsOf(plan), plan.Orphans
	// The killed run may have taken the labels of what is needed by now.
	x.unleased = append(x.unleased, orphans...)
	recovered.Restored, recovered.Untagged, err = x.putBack(ctx, map[string][]rules.Decision{ns.Name: lost}, nil, x.plan.Decisions)
	if err != nil {
		return recovered, err
	}
	if len(orphans) == 0 {
		return recovered, nil
	}
	untaken, err := x.settleOrphans(ctx, lost, run.Name, orphans)
	return recovered, errors.Join(untaken, err)
}

// dropLeftovers removes what runs have left that died when all was done but
// this: claims on killed runs, and leases that asked for a collection.
func (x *Execution) dropLeftovers(ctx context.Context, ns *inventory.Namespace) error {
	for _, id := range ns.Interrupted {
		if id == ours.RunID {
			continue
		}
		if err := x.locker.DropLeftover(ctx, id, x.opts.Now()); err != nil {
			return fmt.Errorf("namespace %q: %w", ns.Name, err)
		}
	}
	return nil
}

// abandon releases the locks when nothing was deleted.
func (x *Execution) abandon(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), UnlockTime)
	defer cancel()
	var errs []error
	for _, ns := range x.locked {
		_, err := x.locker.Unlock(store.InNamespace(ctx, ns), x.run, x.opts.Now(), false)
		if errs = append(errs, err); x.silent(ctx, err) != nil {
			return errors.Join(errs...) // the others would tell the same
		}
	}
	return errors.Join(append(errs, x.dropEmptyGraces(ctx))...)
}

// unlock deletes the run leases. Only the last deletion waits for a
// collection, so that there is one for all namespaces, whatever became of that
// lease; none does if a grace keeps what the run removed.
func (x *Execution) unlock(ctx context.Context) error {
	if x.opts.NoGuard {
		return x.timed(ctx, func() error { return x.collect(ctx) })
	}
	read.NewMeter(x.opts.Progress, read.StageCollect).Add(0)
	kept := x.opts.Grace > 0 && len(x.attempted) > 0
	collected := kept || len(x.locked) == 0
	var errs []error
	for i, ns := range x.locked {
		last := !kept && i == len(x.locked)-1
		done, err := x.unlockOne(ctx, ns, last)
		collected = collected || done
		if err != nil {
			errs = append(errs, fmt.Errorf("namespace %q: %w", ns, err))
			if x.silent(ctx, err) != nil {
				return errors.Join(errs...)
			}
		}
	}
	if !collected && ctx.Err() == nil { // else the error is told by now
		errs = append(errs, x.timed(ctx, func() error { return x.collectAnyway(ctx, x.locked[len(x.locked)-1]) }))
	}
	return errors.Join(errs...)
}

func (x *Execution) unlockOne(ctx context.Context, ns string, collect bool) (collected bool, err error) {
	unlock := func() error {
		collected, err = x.locker.Unlock(store.InNamespace(ctx, ns), x.run, x.opts.Now(), collect)
		return err
	}
	if collect {
		err = x.timed(ctx, unlock)
		return collected, err
	}
	err = unlock()
	return collected, err
}

// collectAnyway asks for the collection that the deletion of a lease did not
// make, which failed or had nothing left to delete.
func (x *Execution) collectAnyway(ctx context.Context, ns string) error {
	if err := x.locker.Collect(store.InNamespace(ctx, ns), x.run, x.opts.Now(), nil); err != nil {
		return fmt.Errorf("namespace %q: %w", ns, err)
	}
	return nil
}

// grant makes the grace lease of a batch, before anything is deleted. It
// holds the plan blob, and with it all targets, and the snapshots that step 5
// takes from the configs of orphans.
func (x *Execution) grant(ctx context.Context, b plan.Batch) error {
	if x.opts.Grace <= 0 || len(b.Records) == 0 {
		return nil
	}
	run := x.run
	run.Expires = x.Report.Grace.Until
	var tops []leases.Resource
	for _, o := range x.plan.Outcome.Orphans {
		if o.Namespace == b.Namespace.Name {
			tops = append(tops, o.Snapshots()...)
		}
	}
	return x.locker.Keep(store.InNamespace(ctx, b.Namespace.Name), run, tops)
}

// dropEmptyGraces deletes the grace leases of namespaces from which nothing
// was removed after all.
func (x *Execution) dropEmptyGraces(ctx context.Context) error {
	if x.opts.Grace <= 0 {
		return nil
	}
	var errs []error
	for _, name := range x.locked {
		if len(x.attempted[name]) == 0 {
			_, err := x.locker.DropGrace(store.InNamespace(ctx, name), x.run.Name, false)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
