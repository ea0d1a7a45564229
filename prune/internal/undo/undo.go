package undo

import (
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
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Undone is what [Undo] did.
type Undone struct {
	Run string `json:"run"`
	// Restored are the records that are back.
	Restored []inventory.Record `json:"restored"`
	// Failed are those that are not, and why.
	Failed []rules.Skip `json:"failed"`
	// Missing are the namespaces in which the run keeps nothing any more, so that
	// what it removed from there is not back.
	Missing []Missing `json:"missing"`
	// Errors are the error that [Undo] returned, in parts.
	Errors []cause.Cause `json:"errors"`
	// Interrupted says that the context ended before all was done, and Untried counts
	// the records that were not tried then. The run can be undone again for the rest.
	Interrupted bool `json:"interrupted"`
	Untried     int  `json:"untried"`

	// of are all namespaces of the run, as far as it has told.
	of    []string
	meter *read.Meter
}

// Missing is a namespace of a run in which there is nothing to restore from.
type Missing struct {
	Namespace string `json:"namespace"`
	cause.Cause
}

// Undo restores the records that a run removed, with their labels and the
// snapshot labels of their configs, and ends the run's grace period once all of
// them are back. A name that another image has taken meanwhile is not changed,
// and is reported. When ctx ends, the record that is being restored is finished, and
// no other is begun.
func Undo(ctx context.Context, store store.Store, run Run, opts run.ExecuteOptions) (*Undone, error) {
	u := &Undone{Run: run.Name, Missing: []Missing{}, meter: read.NewMeter(opts.Progress, read.StageRestore)}
	u.meter.Total = len(run.Records)
	begun, end := opts.Begun(ctx)
	defer end()
	var errs []error
	for _, ns := range run.Namespaces {
		if ctx.Err() != nil {
			u.cut(run, ns)
			continue
		}
		if err := u.guarded(begun, ctx.Done(), store, ns, opts.Now()); err != nil {
			errs = append(errs, err)
		}
	}
	slices.SortFunc(u.Restored, inventory.CompareRecords)
	slices.Sort(u.of)
	for _, ns := range slices.Compact(u.of) {
		if !slices.Contains(run.Namespaces, ns) {
			u.Missing = append(u.Missing, Missing{ns, cause.Because(cause.CodeNotKept, cause.Parts{Run: run.Name, Namespace: ns})})
		}
	}
	err := errors.Join(errs...)
	u.Errors = append(u.Errors, cause.Failures(cause.CodeNotRestored, err)...)
	return u, err
}

// cut notes that a namespace was not begun.
func (u *Undone) cut(run Run, ns string) {
	u.Interrupted = true
	for _, record := range run.Records {
		if record.Namespace == ns {
			u.Untried++
		}
	}
}

// ended says whether a channel is closed.
func ended(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// guarded undoes what the run did to a namespace, under a lease that holds all
// of it: the grace may end at any moment, between a look at a blob and the record
// that is made of it as well; and of records that live by each other one is back
// before the other.
func (u *Undone) guarded(ctx context.Context, interrupted <-chan struct{}, st store.Store, ns string, now time.Time) error {
	locker := lock.Locker{Manager: st.Leases()}
	within, release, err := locker.ExtendGrace(store.InNamespace(ctx, ns), u.Run, now.Add(run.DefaultLeaseTTL))
	if err != nil {
		err = fmt.Errorf("reading run %s in namespace %q: %w", u.Run, ns, err)
	}
	if release == nil {
		return err
	}
	if err == nil {
		err = u.namespace(within, interrupted, st, ns, now)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), run.UnlockTime)
	defer cancel()
	return errors.Join(err, release(store.InNamespace(ctx, ns)))
}

func (u *Undone) namespace(ctx context.Context, interrupted <-chan struct{}, st store.Store, ns string, now time.Time) error {
	past, err := journal.KeptPlan(ctx, st, ns, u.Run)
	if err != nil {
		return err
	}
	u.of = append(u.of, past.Namespaces...)
	ctx = store.InNamespace(ctx, ns)
	failures := len(u.Failed)
	var errs []error
	for _, o := range past.Orphans {
		if err := store.Relabel(ctx, st.Content(), o.Config, o.Labels); run.IgnoreNotFound(err) != nil {
			errs = append(errs, fmt.Errorf("restoring the snapshot labels of config %s in namespace %q: %w", o.Config, ns, err))
		}
	}
	decisions := run.DecisionsOf(past)
	for i, d := range decisions {
		if ended(interrupted) {
			u.Interrupted, u.Untried = true, u.Untried+len(decisions)-i
			return errors.Join(errs...) // the grace stays
		}
		errs = append(errs, u.record(ctx, st, d))
		u.meter.Add(1)
	}
	errs = append(errs, u.expired(ctx, st, decisions, now))
	if !past.Whole() {
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

// expired finds the records whose own expiry has passed and that nothing else
// keeps, now that all are there: the next collection takes them again. They do not
// count as restored, and what they hold is kept as long as the grace lasts.
func (u *Undone) expired(ctx context.Context, st store.Store, decisions []rules.Decision, now time.Time) error {
	if !slices.ContainsFunc(decisions, func(d rules.Decision) bool { return gc.Expires(d.Image) }) {
		return nil
	}
	inv, err := read.Read(ctx, st, inventory.Scope{}, now, read.ReadOptions{})
	if err != nil {
		return fmt.Errorf("looking whether the restored images of run %s have expired: %w", u.Run, err)
	}
	c := gc.NewCollector(inv, now)
	after := c.Reach(gc.Change{Ignored: leasesOf(c, u.Run)})
	for _, d := range decisions {
		i := slices.Index(u.Restored, d.Record())
		if i >= 0 && plan.Outlasts(c, after, d, d.Image) != nil {
			u.Restored = slices.Delete(u.Restored, i, i+1)
			u.fail(d, cause.Plainly(cause.CodeExpired))
		}
	}
	return nil
}

// leasesOf lists the leases of a run: its graces, and those of an undo of it.
func leasesOf(c *gc.Collector, run string) map[graph.Node]bool {
	nodes := make(map[graph.Node]bool)
	for _, s := range c.Order {
		for _, lease := range s.Leases {
			if lease.Labels[leases.RunLabel] == run {
				nodes[graph.Node{Kind: graph.KindLease, Namespace: s.Name, Key: lease.ID}] = true
			}
		}
	}
	return nodes
}
