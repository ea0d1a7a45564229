package prune

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// Repair mends the findings that can be mended without risk: it finishes
// interrupted runs, aborts abandoned uploads, removes expired leases, and has
// containerd look at its content and its snapshots again. What it mended is
// seen by checking again.
func Repair(ctx context.Context, store Store, findings []Finding, opts ExecuteOptions) error {
	problems := make(map[Problem]bool)
	for _, f := range findings {
		if f.Repairable {
			problems[f.Problem] = true
		}
	}
	if len(problems) == 0 {
		return nil
	}
	now := opts.Now()
	policy := Nothing()
	policy.AllNamespaces = true
	if problems[ProblemOldUpload] {
		policy.IngestAge = ingestExpiry
	}
	inv, err := Read(ctx, store, policy, now, ReadOptions{Procfs: opts.Procfs, Sources: opts.Sources})
	if err != nil {
		return err
	}
	var errs []error
	if _, err := PruneLeases(ctx, store, inv, now); err != nil {
		errs = append(errs, err)
	}
	plan, err := inv.Plan(policy, now)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	if !plan.Empty() {
		if _, err := plan.Execute(ctx, store, opts); err != nil {
			return errors.Join(append(errs, err)...)
		}
	}
	return errors.Join(append(errs, lookAgain(ctx, store, inv, opts))...)
}

// Nothing is the policy that removes no record: for runs that only finish what
// others left.
func Nothing() Policy {
	return Policy{selection: &Selection{other: "nothing is to go", anyStore: true}}
}

// lookAgain makes containerd compare its content store and every snapshotter
// with what it knows, which it does only for those of which a collection
// removed something: so a blob and a snapshot of each are made for it to
// remove.
func lookAgain(ctx context.Context, store Store, inv *Inventory, opts ExecuteOptions) error {
	if len(inv.Namespaces) == 0 {
		return nil
	}
	ns := inv.Namespaces[0] // any will do: a collection is of all namespaces
	ctx = inNamespace(ctx, ns.Name)
	start := opts.Now()
	owner, end := opts.Procfs.Begin()
	defer end()
	run := ours.Run{Name: runName(start), Owner: owner, Start: start, Expires: start.Add(defaultLeaseTTL)}
	locker := ours.Locker{Manager: store.Leases(), Procfs: opts.Procfs}
	if err := locker.Lock(ctx, ns.Name, run, start); err != nil {
		return err
	}
	hold := func(doc []byte, targets []digest.Digest) error { return ours.Hold(ctx, store.Content(), doc, targets) }
	_, err := writePlan(run, batch{ns: ns}, nil, hold, nil)
	for _, name := range slices.Sorted(slices.Values(inv.Store.Snapshotters)) {
		err = errors.Join(err, throwAway(ctx, store.Snapshotter(name), name, run.Name))
	}
	if ctx.Err() != nil { // the lease goes all the same, and the next collection takes the rest
		freeing, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTime)
		defer cancel()
		return errors.Join(err, locker.UnlockOwn(freeing, run, opts.Now(), false))
	}
	return errors.Join(err, locker.UnlockOwn(ctx, run, opts.Now(), true))
}

// throwAway makes an empty snapshot that only the run lease holds.
func throwAway(ctx context.Context, sn snapshots.Snapshotter, name, run string) error {
	_, err := sn.Prepare(leases.WithLease(ctx, ours.RunID), "ctr-prune-"+run, "")
	if err != nil && !errdefs.IsAlreadyExists(err) {
		return fmt.Errorf("making a snapshot for snapshotter %q to remove: %w", name, err)
	}
	return nil
}
