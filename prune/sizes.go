package prune

import (
	"context"
	"fmt"
	"sync"

	"github.com/containerd/errdefs"
)

// sizes measures the snapshots that a plan by this policy frees or holds back,
// or all of them. It returns the plan if it made one.
func (r *reader) sizes(ctx context.Context, inv *Inventory, policy Policy) (*Plan, error) {
	if r.opts.before != nil {
		inv.takeSizes(r.opts.before)
		return nil, nil
	}
	ids, draft, err := r.toMeasure(inv, policy)
	if err != nil {
		return nil, err
	}
	return draft, r.measure(ctx, inv, ids)
}

func (r *reader) measure(ctx context.Context, inv *Inventory, ids []snapshotID) error {
	var mu sync.Mutex
	return eachOf(ctx, measurements, ids, func(ctx context.Context, id snapshotID) error {
		snapshot := inv.Namespace(id.ns).Snapshots
		usage, err := r.store.Snapshotter(id.Snapshotter).Usage(inNamespace(ctx, id.ns), id.Key)
		if errdefs.IsNotFound(err) {
			return nil // gone since it was listed
		}
		if err != nil {
			return fmt.Errorf("measuring snapshot %s in namespace %q: %w", id.SnapshotKey, id.ns, err)
		}
		mu.Lock()
		defer mu.Unlock()
		s := snapshot[id.SnapshotKey]
		s.Bytes, s.Measured = usage.Size, true
		snapshot[id.SnapshotKey] = s
		r.progress.add(1)
		return nil
	})
}

// toMeasure lists the snapshots to measure. It plans without sizes to learn
// which a prune needs.
func (r *reader) toMeasure(inv *Inventory, policy Policy) ([]snapshotID, *Plan, error) {
	switch {
	case r.opts.AllSizes:
		return inv.objects().sortedSnapshots(), nil, nil
	case r.opts.Explain != "":
		c := newCollector(inv, r.now)
		n, err := c.find(r.opts.Explain, policy.within())
		if err != nil {
			return nil, nil, nil //nolint:nilerr // whoever explains it says so
		}
		return c.snapshotsOf(n), nil, nil
	case r.opts.LeaseSizes:
		return newCollector(inv, r.now).snapshotsOfLeases(), nil, nil
	}
	plan, err := inv.Plan(policy, r.now)
	if err != nil {
		return nil, nil, err
	}
	return plan.toMeasure(), plan, nil
}

// toMeasure lists the snapshots whose sizes the plan tells.
func (p *Plan) toMeasure() []snapshotID {
	wanted := newObjects()
	for _, part := range []objects{p.outcome.freed, p.outcome.garbage} {
		for id := range part.snapshots {
			wanted.snapshots[id] = 0
		}
	}
	for _, held := range p.outcome.held {
		if held.Snapshot != "" {
			wanted.snapshots[snapshotID{held.Namespace, parseSnapshotKey(held.Snapshot)}] = 0
		}
	}
	return wanted.sortedSnapshots()
}

// takeSizes fills in the sizes that were measured for the plan.
func (p *Plan) takeSizes() {
	size := func(id snapshotID) int64 { return p.inventory.Namespace(id.ns).Snapshots[id.SnapshotKey].Bytes }
	for _, part := range []objects{p.outcome.freed, p.outcome.garbage} {
		for id := range part.snapshots {
			part.snapshots[id] = size(id)
		}
	}
	for i, held := range p.outcome.held {
		if held.Snapshot != "" {
			p.outcome.held[i].Bytes = size(snapshotID{held.Namespace, parseSnapshotKey(held.Snapshot)})
		}
	}
}

// takeSizes takes the sizes of snapshots from an earlier reading.
func (inv *Inventory) takeSizes(before *Inventory) {
	for _, ns := range inv.Namespaces {
		earlier := before.Namespace(ns.Name)
		if earlier == nil {
			continue
		}
		for key, snapshot := range ns.Snapshots {
			known := earlier.Snapshots[key]
			snapshot.Bytes, snapshot.Measured = known.Bytes, known.Measured
			ns.Snapshots[key] = snapshot
		}
	}
}
