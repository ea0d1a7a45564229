package prune

import (
	"context"
	"fmt"
	"sync"

	"github.com/containerd/errdefs"
)

// sizes measures the snapshots that a plan by this policy frees or holds back,
// or all of them.
func (r *reader) sizes(ctx context.Context, inv *Inventory, policy Policy) error {
	if r.opts.before != nil {
		inv.takeSizes(r.opts.before)
		return nil
	}
	ids, err := r.toMeasure(inv, policy)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	return each(ctx, ids, func(ctx context.Context, id snapshotID) error {
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

// toMeasure plans without sizes to learn which are needed.
func (r *reader) toMeasure(inv *Inventory, policy Policy) ([]snapshotID, error) {
	if r.opts.AllSizes {
		return inv.objects().sortedSnapshots(), nil
	}
	if r.opts.Explain != "" {
		c := newCollector(inv, r.now)
		n, err := c.find(r.opts.Explain, policy.within())
		if err != nil {
			return nil, nil //nolint:nilerr // whoever explains it says so
		}
		return c.snapshotsOf(n), nil
	}
	if r.opts.LeaseSizes {
		return newCollector(inv, r.now).snapshotsOfLeases(), nil
	}
	plan, err := inv.Plan(policy, r.now)
	if err != nil {
		return nil, err
	}
	wanted := newObjects()
	for _, part := range []objects{plan.outcome.freed, plan.outcome.garbage} {
		for id := range part.snapshots {
			wanted.snapshots[id] = 0
		}
	}
	for _, held := range plan.outcome.held {
		if held.Snapshot != "" {
			wanted.snapshots[snapshotID{held.Namespace, parseSnapshotKey(held.Snapshot)}] = 0
		}
	}
	return wanted.sortedSnapshots(), nil
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
