package undo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/journal"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Run is a run that was given a grace and can still be undone.
type Run struct {
	Name    string    `json:"run"`
	Started time.Time `json:"started"`
	// Until is when the grace ends. Past it the run can be undone only for
	// as long as containerd has not collected.
	Until      time.Time          `json:"until"`
	Namespaces []string           `json:"namespaces"`
	Records    []inventory.Record `json:"records"`
	// Holds is what would be reclaimed by dropping the run now.
	Holds inventory.Amount `json:"holds"`
}

// Runs reads the store and lists the runs that can be undone, the newest first.
func Runs(ctx context.Context, store store.Store, now time.Time, opts read.ReadOptions) ([]Run, error) {
	inv, err := read.ReadMeasured(ctx, store, inventory.Scope{}, now, opts, (*gc.Collector).SnapshotsOfLeases)
	if err != nil {
		return nil, err
	}
	return runsOf(ctx, inv, store, now)
}

func runsOf(ctx context.Context, inv *inventory.Inventory, store store.Store, now time.Time) ([]Run, error) {
	found := make(map[string]int)
	runs := []Run{}
	var graces [][]graph.Node // the live leases of each
	c := gc.NewCollector(inv, now)
	for _, ns := range inv.Namespaces {
		for _, lease := range ns.Leases {
			run, ok := leases.GraceOf(lease.Lease)
			until, _ := leases.Expiry(lease.Lease)
			if !ok {
				continue
			}
			plan, err := journal.KeptPlan(ctx, store, ns.Name, run)
			if errdefs.IsNotFound(err) {
				continue // given up, or collected, since the store was read
			}
			if err != nil {
				return nil, err
			}
			i, known := found[run]
			if !known {
				i = len(runs)
				found[run] = i
				runs, graces = append(runs, Run{Name: run, Started: lease.CreatedAt, Until: until}), append(graces, nil)
			}
			r := &runs[i]
			r.Namespaces = append(r.Namespaces, ns.Name)
			r.Records = append(r.Records, recordsOf(plan)...)
			if c.Live(lease) {
				graces[i] = append(graces[i], graph.Node{Kind: graph.KindLease, Ns: ns.Name, Key: lease.ID})
			}
		}
	}
	for i, sum := range c.Alone(graces) {
		runs[i].Holds = sum
	}
	slices.SortFunc(runs, func(a, b Run) int { return cmp.Compare(b.Name, a.Name) })
	return runs, nil
}

func recordsOf(plan journal.PastPlan) []inventory.Record {
	records := make([]inventory.Record, len(plan.Records))
	for i, d := range run.DecisionsOf(plan) {
		records[i] = d.Record()
	}
	slices.SortFunc(records, inventory.CompareRecords)
	return records
}

// Undone is what [Undo] did.
type Undone struct {
	Run string `json:"run"`
	// Restored are the records that are back.
	Restored []inventory.Record `json:"restored"`
	// Failed are those that are not, and why.
	Failed []rules.Skip `json:"failed"`
}

// Undo puts the records of a run back, with their labels and the snapshot
// labels of their configs, and gives the run's grace up if all of them are
// back. A name that was taken meanwhile stays as it is and is reported.
func Undo(ctx context.Context, store store.Store, run Run, now time.Time) (*Undone, error) {
	u := &Undone{Run: run.Name}
	var errs []error
	for _, ns := range run.Namespaces {
		if err := u.guarded(ctx, store, ns, now); err != nil {
			errs = append(errs, err)
		}
	}
	slices.SortFunc(u.Restored, inventory.CompareRecords)
	return u, errors.Join(errs...)
}

// guarded undoes what the run did to a namespace, under a lease that holds all
// of it: the grace may end at any moment, between a look at a blob and the record
// that is made of it as well; and of records that live by each other one is back
// before the other.
func (u *Undone) guarded(ctx context.Context, st store.Store, ns string, now time.Time) error {
	locker := lock.Locker{Manager: st.Leases()}
	within, release, err := locker.ExtendGrace(store.InNamespace(ctx, ns), u.Run, now.Add(run.DefaultLeaseTTL))
	if err != nil {
		err = fmt.Errorf("reading run %s in namespace %q: %w", u.Run, ns, err)
	}
	if release == nil {
		return err
	}
	if err == nil {
		err = u.namespace(within, st, ns)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), run.UnlockTime)
	defer cancel()
	return errors.Join(err, release(store.InNamespace(ctx, ns)))
}

func (u *Undone) namespace(ctx context.Context, st store.Store, ns string) error {
	plan, err := journal.KeptPlan(ctx, st, ns, u.Run)
	if err != nil {
		return err
	}
	ctx = store.InNamespace(ctx, ns)
	failures := len(u.Failed)
	var errs []error
	for _, o := range plan.Orphans {
		if err := store.Relabel(ctx, st.Content(), o.Config, o.Labels); run.IgnoreNotFound(err) != nil {
			errs = append(errs, fmt.Errorf("restoring the snapshot labels of config %s in namespace %q: %w", o.Config, ns, err))
		}
	}
	for _, d := range run.DecisionsOf(plan) {
		errs = append(errs, u.record(ctx, st, d))
	}
	if !plan.Whole() {
		errs = append(errs, &cause.CodeError{Code: "run-incomplete", Err: fmt.Errorf("run %s in namespace %q: %w: either it was killed before it removed anything, or they were deleted", u.Run, ns, journal.ErrMissingParts)})
	}
	if err := errors.Join(errs...); err != nil || len(u.Failed) > failures {
		return err // the grace stays, for another try
	}
	_, err = lock.Locker{Manager: st.Leases()}.DropGrace(ctx, u.Run, false)
	return err
}

// record puts one record back and removes what stood in for it.
func (u *Undone) record(ctx context.Context, store store.Store, d rules.Decision) error {
	if _, err := store.Content().Info(ctx, d.Target.Digest); errdefs.IsNotFound(err) {
		u.fail(d, cause.Plainly(cause.CodeContentGone))
		return nil
	}
	_, err := store.Images().Create(ctx, *d.Image)
	if errdefs.IsAlreadyExists(err) {
		return u.taken(ctx, store, d)
	}
	if err != nil {
		u.fail(d, cause.Because(cause.CodeNotPutBack, cause.Parts{Detail: err.Error()}))
		return fmt.Errorf("restoring image %q in namespace %q: %w", d.Name, d.Namespace, err)
	}
	u.Restored = append(u.Restored, d.Record())
	return removeStandIn(ctx, store, d)
}

// removeStandIn removes what stood in for a record that is there again.
func removeStandIn(ctx context.Context, store store.Store, d rules.Decision) error {
	if d.StandIn == "" {
		return nil
	}
	target := d.Target
	if err := store.Images().Delete(ctx, d.StandIn, images.DeleteTarget(&target)); run.IgnoreNotFound(err) != nil {
		return fmt.Errorf("removing the stand-in %q in namespace %q: %w", d.StandIn, d.Namespace, err)
	}
	return nil
}

// taken tells a record that is there already from a name that was taken.
func (u *Undone) taken(ctx context.Context, store store.Store, d rules.Decision) error {
	image, err := store.Images().Get(ctx, d.Name)
	switch {
	case err != nil:
		u.fail(d, cause.Because(cause.CodeNotPutBack, cause.Parts{Detail: err.Error()}))
		return fmt.Errorf("looking up image %q in namespace %q: %w", d.Name, d.Namespace, err)
	case image.Target.Digest != d.Target.Digest:
		u.fail(d, cause.Because(cause.CodeNameTaken, cause.Parts{Target: image.Target.Digest}))
		return nil
	default: // perhaps an earlier undo did not come to the end
		return removeStandIn(ctx, store, d)
	}
}

func (u *Undone) fail(d rules.Decision, why cause.Cause) {
	u.Failed = append(u.Failed, rules.Skip{Record: d.Record(), Cause: why})
}

// Dropped is what came of dropping a run.
type Dropped struct {
	Reclaimed inventory.Amount `json:"reclaimed"`
	// Garbage is what nothing held already before.
	Garbage inventory.Amount `json:"garbage"`
}

// Drop gives up the grace of a run, so that containerd collects what it held,
// and tells by comparing what is gone.
func Drop(ctx context.Context, store store.Store, run Run, now time.Time, opts read.ReadOptions) (Dropped, error) {
	before, err := read.ReadMeasured(ctx, store, inventory.Scope{}, now, opts, (*gc.Collector).SnapshotsOfLeases)
	if err != nil {
		return Dropped{}, err
	}
	if err := giveUp(ctx, store, run, now); err != nil {
		return Dropped{}, err
	}
	var d Dropped
	after, err := read.Read(ctx, store, inventory.Scope{}, now, opts)
	if err == nil {
		d.Reclaimed, d.Garbage, err = reclaimed(ctx, store, before, after, now)
	}
	if err != nil {
		return Dropped{}, fmt.Errorf("run %s was dropped, but what that freed could not be measured: %w", run.Name, err)
	}
	return d, nil
}

// giveUp returns when what the run held is collected.
func giveUp(ctx context.Context, st store.Store, r Run, now time.Time) error {
	locker := lock.Locker{Manager: st.Leases()}
	var errs []error
	collected := false
	for i, ns := range r.Namespaces {
		done, err := locker.DropGrace(store.InNamespace(ctx, ns), r.Name, i == len(r.Namespaces)-1)
		if err != nil {
			errs = append(errs, fmt.Errorf("namespace %q: %w", ns, err))
		}
		collected = collected || done
	}
	if n := len(r.Namespaces); !collected && n > 0 && ctx.Err() == nil {
		errs = append(errs, run.CollectIn(ctx, st, r.Namespaces[n-1], now))
	}
	return errors.Join(errs...)
}

// reclaimedOf is the same with what was held given.
func reclaimedOf(ctx context.Context, c *gc.Collector, store store.Store, before, after *inventory.Inventory, held graph.Reached) (freed, garbage inventory.Amount, err error) {
	remaining := after.Objects()
	files, err := store.BlobFiles(ctx)
	if err != nil && !errdefs.IsUnavailable(err) {
		return inventory.Amount{}, inventory.Amount{}, fmt.Errorf("looking for removed blobs on the disk: %w", err)
	}
	for dgst := range files {
		remaining.Blobs[dgst] = 0
	}
	taken, unheld := c.Split(before.Objects().Without(remaining), held, graph.Reached{})
	return taken.Amount(), unheld.Amount(), nil
}

// reclaimed is what of an earlier inventory is gone in a later one of the same
// store, apart from the garbage that nothing held already at the time now. A
// blob counts only if its file is gone as well, where the files can be seen.
func reclaimed(ctx context.Context, store store.Store, before, after *inventory.Inventory, now time.Time) (freed, garbage inventory.Amount, err error) {
	c := gc.NewCollector(before, now)
	return reclaimedOf(ctx, c, store, before, after, c.Reach(gc.Change{}))
}
