package undo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// PrunedLeases is what happened to the leases that had expired or that
// interrupted runs had left.
type PrunedLeases struct {
	// Removed are those that were removed, in all namespaces, including those
	// that expired after they were listed.
	Removed []LeaseInfo `json:"removed"`
	// Renewed were listed as expired. Their owners have made leases with the
	// same IDs since, which are kept; they are shown as they are now.
	Renewed   []LeaseInfo     `json:"renewed"`
	Recovered []run.Recovered `json:"recovered"`
	// Reclaimed is what was freed and had been held, also by a lease that had
	// expired; Garbage is what nothing had held.
	Reclaimed inventory.Amount `json:"reclaimed"`
	Garbage   inventory.Amount `json:"garbage"`
	// Interrupted says that the context ended before all was done.
	Interrupted bool `json:"interrupted"`
	// Begun says that the store may have been changed.
	Begun bool `json:"-"`
}

// PruneLeases finishes the interrupted runs among the listed leases, requests a
// garbage collection, and compares the store before and after to report what
// was freed. It never deletes another client's lease itself: the owner of a
// lease that [Leases] listed as expired may have created it again under the
// same ID, whereas the collection removes only what has expired when it runs.
// It covers all namespaces. When ctx ends, what was begun is finished.
func PruneLeases(ctx context.Context, store store.Store, listed []LeaseInfo, opts run.ExecuteOptions) (*PrunedLeases, error) {
	done := &PrunedLeases{Removed: []LeaseInfo{}, Renewed: []LeaseInfo{}, Recovered: []run.Recovered{}}
	before, err := read.ReadMeasured(ctx, store, inventory.Scope{AllNamespaces: true}, opts.Now(), opts.Reading(), (*gc.Collector).SnapshotsOfLeases)
	if err != nil {
		return done, err
	}
	done.Begun = true
	at := opts.Now()
	recovered, err := FinishRuns(ctx, store, before, unfinished(listed), opts)
	done.Recovered = append(done.Recovered, recovered...)
	if stay := (*plan.StayError)(nil); errors.As(err, &stay) {
		return done, err // a collection would take it
	}
	begun, end := opts.Begun(ctx)
	defer end()
	errs := []error{err}
	if gc.NewCollector(before, opts.Now()).AnyExpired() {
		if done.Interrupted = ctx.Err() != nil; !done.Interrupted {
			errs = append(errs, run.RequestCollection(begun, before, store, opts, nil))
		}
	}
	read.NewMeter(opts.Progress, read.StageMeasure).Add(0)
	after, err := read.Read(begun, store, inventory.Scope{}, opts.Now(), quietly(opts))
	if err == nil {
		err = done.compare(begun, store, listed, before, after, at, opts.Now())
	}
	return done, errors.Join(append(errs, err)...)
}

// compare fills in what was removed. The inventory before is of the time at, the one
// after of the time end.
func (p *PrunedLeases) compare(ctx context.Context, store store.Store, listed []LeaseInfo, before, after *inventory.Inventory, at, end time.Time) (err error) {
	left := ListLeases(after, end)
	p.Removed = append(p.Removed, RemovedLeases(listed, ListLeases(before, at), left, at, end)...)
	p.Renewed = append(p.Renewed, RenewedLeases(listed, left)...)
	c := gc.NewCollector(before, at)
	held := c.Mark(append(c.Roots(gc.Change{}), c.AllLeases()...), gc.Change{})
	p.Reclaimed, p.Garbage, err = reclaimedOf(ctx, c, store, before, after, held)
	return err
}

// unfinished is the policy that finishes the runs of ours among the leases, and
// removes nothing else.
func unfinished(listed []LeaseInfo) rules.Policy {
	policy := rules.Nothing()
	policy.MissingOK = true
	for _, l := range listed {
		if l.Action == rules.Remove && l.Kind.Ours() {
			policy.Namespaces = append(policy.Namespaces, l.Namespace)
		}
	}
	return policy
}

// FinishRuns does what killed runs had left to do in the namespaces of a policy
// that removes no record. The error matches a *[plan.StayError] where the collection
// that belongs to it would take a record that is to stay; then nothing was done.
func FinishRuns(ctx context.Context, store store.Store, inv *inventory.Inventory, policy rules.Policy, opts run.ExecuteOptions) ([]run.Recovered, error) {
	if len(policy.Namespaces) == 0 {
		return nil, nil
	}
	plan, err := plan.NewPlan(inv, policy, opts.Now())
	if err == nil && plan.Blocked != nil {
		err = fmt.Errorf("nothing was finished: %w", plan.Blocked)
	}
	if err != nil || plan.Empty() {
		return nil, err
	}
	report, err := run.Execute(ctx, plan, store, opts)
	if report == nil {
		return nil, err
	}
	return report.Recovered, err
}

// leaseID names a lease within a store.
type leaseID struct{ namespace, id string }

// Key names the lease within the store.
func (l LeaseInfo) Key() leaseID { return leaseID{l.Namespace, l.ID} }

// ByID are leases by what names them.
func ByID(list []LeaseInfo) map[leaseID]LeaseInfo {
	found := make(map[leaseID]LeaseInfo, len(list))
	for _, l := range list {
		found[l.Key()] = l
	}
	return found
}

// RemovedLeases lists the leases that no longer exist: of those that were listed
// for removal, and of those before the collection that had expired by its end.
// All others were deleted by their owners.
func RemovedLeases(listed, before, after []LeaseInfo, at, end time.Time) []LeaseInfo {
	known, left := ByID(listed), ByID(after)
	var gone []LeaseInfo
	for _, l := range listed {
		if _, there := left[l.Key()]; l.Action == rules.Remove && !there {
			gone = append(gone, l)
		}
	}
	for _, l := range before {
		was, wasListed := known[l.Key()]
		_, there := left[l.Key()]
		if there || wasListed && was.Action == rules.Remove || l.Expires.IsZero() || !end.After(l.Expires) {
			continue
		}
		l.Action, l.Cause = rules.Remove, cause.Plainly(cause.CodeLeaseExpired)
		if wasListed || !at.After(l.Expires) {
			l.Cause = cause.Plainly(cause.CodeLeaseExpiredSince)
		}
		gone = append(gone, l)
	}
	slices.SortFunc(gone, func(a, b LeaseInfo) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.ID, b.ID))
	})
	return gone
}

// RenewedLeases lists the leases that were listed as expired and last again.
func RenewedLeases(listed, after []LeaseInfo) []LeaseInfo {
	left := ByID(after)
	var renewed []LeaseInfo
	for _, l := range listed {
		now, there := left[l.Key()]
		if there && l.Action == rules.Remove && !l.Kind.Ours() && now.Action == rules.Keep {
			renewed = append(renewed, now)
		}
	}
	return renewed
}
