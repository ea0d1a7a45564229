package prune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// PrunedLeases is what became of the leases that had expired or that runs of
// ours had left.
type PrunedLeases struct {
	// Removed are those that are gone, wherever they were, and also those that
	// expired after they were listed.
	Removed []LeaseInfo `json:"removed"`
	// Renewed were listed as expired. Their owners have made leases with the
	// same IDs since, which stay; they are shown as they are now.
	Renewed   []LeaseInfo `json:"renewed"`
	Recovered []Recovered `json:"recovered"`
	// Reclaimed is what is gone and was held, also by a lease that had expired;
	// Garbage is what nothing held.
	Reclaimed Amount `json:"reclaimed"`
	Garbage   Amount `json:"garbage"`
}

// PruneLeases finishes the interrupted runs among the listed leases, has
// containerd collect, and tells by comparing what is gone. It deletes nobody's
// lease: what [Leases] has listed as expired may be its owner's again
// by now, under the same ID, while the collection goes by what is true at its
// moment. It is one of all namespaces.
func PruneLeases(ctx context.Context, store Store, listed []LeaseInfo, opts ExecuteOptions) (*PrunedLeases, error) {
	done := &PrunedLeases{Removed: []LeaseInfo{}, Renewed: []LeaseInfo{}, Recovered: []Recovered{}}
	before, err := readMeasured(ctx, store, Scope{AllNamespaces: true}, opts.Now(), opts.reading(), (*collector).snapshotsOfLeases)
	if err != nil {
		return done, err
	}
	at := opts.Now()
	recovered, err := finishRuns(ctx, store, before, unfinished(listed), opts)
	done.Recovered = append(done.Recovered, recovered...)
	if stay := (*StayError)(nil); errors.As(err, &stay) {
		return done, err // a collection would take it
	}
	errs := []error{err}
	if newCollector(before, opts.Now()).anyExpired() {
		errs = append(errs, before.collect(ctx, store, opts, nil))
	}
	after, err := Read(ctx, store, Scope{}, opts.Now(), opts.reading())
	if err == nil {
		err = done.compare(ctx, store, listed, before, after, at, opts.Now())
	}
	return done, errors.Join(append(errs, err)...)
}

// compare tells what is gone. The inventory before is of the time at, the one
// after of the time end.
func (p *PrunedLeases) compare(ctx context.Context, store Store, listed []LeaseInfo, before, after *Inventory, at, end time.Time) (err error) {
	left := after.leases(end)
	p.Removed = append(p.Removed, removedLeases(listed, before.leases(at), left, at, end)...)
	p.Renewed = append(p.Renewed, renewedLeases(listed, left)...)
	c := newCollector(before, at)
	held := c.mark(append(c.roots(change{}), c.allLeases()...), change{})
	p.Reclaimed, p.Garbage, err = c.reclaimed(ctx, store, before, after, held)
	return err
}

// reading are the options of a read that goes with a run.
func (o ExecuteOptions) reading() ReadOptions {
	return ReadOptions{Sources: o.Sources, Procfs: o.Procfs, Progress: o.Progress}
}

// unfinished is the policy that finishes the runs of ours among the leases, and
// removes nothing else.
func unfinished(listed []LeaseInfo) Policy {
	policy := Nothing()
	policy.MissingOK = true
	for _, l := range listed {
		if l.Action == Remove && l.Kind.Ours() {
			policy.Namespaces = append(policy.Namespaces, l.Namespace)
		}
	}
	return policy
}

// finishRuns does what killed runs had left to do in the namespaces of a policy
// that removes no record. The error matches a *[StayError] where the collection
// that belongs to it would take a record that is to stay; then nothing was done.
func finishRuns(ctx context.Context, store Store, inv *Inventory, policy Policy, opts ExecuteOptions) ([]Recovered, error) {
	if len(policy.Namespaces) == 0 {
		return nil, nil
	}
	plan, err := inv.Plan(policy, opts.Now())
	if err == nil && plan.blocked != nil {
		err = fmt.Errorf("nothing was finished: %w", plan.blocked)
	}
	if err != nil || plan.Empty() {
		return nil, err
	}
	report, err := plan.Execute(ctx, store, opts)
	if report == nil {
		return nil, err
	}
	return report.Recovered, err
}

// anyExpired says whether there is a lease that a collection would take.
func (c *collector) anyExpired() bool {
	return slices.ContainsFunc(c.order, func(s *space) bool {
		return slices.ContainsFunc(s.Leases, func(lease Lease) bool { return !c.live(lease) })
	})
}

// leaseID names a lease within a store.
type leaseID struct{ namespace, id string }

func (l LeaseInfo) key() leaseID { return leaseID{l.Namespace, l.ID} }

func byID(list []LeaseInfo) map[leaseID]LeaseInfo {
	found := make(map[leaseID]LeaseInfo, len(list))
	for _, l := range list {
		found[l.key()] = l
	}
	return found
}

// removedLeases lists the leases that are not there any more: of those that
// were listed to go, and of those before the collection that have expired by
// its end. All others were given up by their owners.
func removedLeases(listed, before, after []LeaseInfo, at, end time.Time) []LeaseInfo {
	known, left := byID(listed), byID(after)
	var gone []LeaseInfo
	for _, l := range listed {
		if _, there := left[l.key()]; l.Action == Remove && !there {
			gone = append(gone, l)
		}
	}
	for _, l := range before {
		was, wasListed := known[l.key()]
		_, there := left[l.key()]
		if there || wasListed && was.Action == Remove || l.Expires.IsZero() || !end.After(l.Expires) {
			continue
		}
		l.Action, l.Cause = Remove, plainly(codeLeaseExpired)
		if wasListed || !at.After(l.Expires) {
			l.Cause = plainly(codeLeaseExpiredSince)
		}
		gone = append(gone, l)
	}
	slices.SortFunc(gone, func(a, b LeaseInfo) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.ID, b.ID))
	})
	return gone
}

// renewedLeases lists the leases that were listed as expired and last again.
func renewedLeases(listed, after []LeaseInfo) []LeaseInfo {
	left := byID(after)
	var renewed []LeaseInfo
	for _, l := range listed {
		now, there := left[l.key()]
		if there && l.Action == Remove && !l.Kind.Ours() && now.Action == Keep {
			renewed = append(renewed, now)
		}
	}
	return renewed
}
