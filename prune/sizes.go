package prune

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"
	"golang.org/x/sync/errgroup"
)

// sizes measures the snapshots that a plan by this policy frees or holds back,
// or all of them. It returns the plan if it made one.
func (r *reader) sizes(ctx context.Context, inv *Inventory, policy Policy) (*Plan, error) {
	switch {
	case r.opts.before != nil:
		inv.takeSizes(r.opts.before)
		return nil, nil
	case r.opts.AllSizes:
		return r.allSizes(ctx, inv, policy)
	}
	ids, draft, err := r.toMeasure(inv, policy)
	if err != nil {
		return nil, err
	}
	sizes, err := r.measure(ctx, ids)
	inv.fill(ids, sizes)
	return draft, err
}

// allSizes measures every snapshot. If a plan is wanted it is made meanwhile:
// the server is busy with the one, this process with the other.
func (r *reader) allSizes(ctx context.Context, inv *Inventory, policy Policy) (draft *Plan, err error) {
	ids := inv.objects().sortedSnapshots()
	var sizes []int64
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		sizes, err = r.measure(ctx, ids)
		return err
	})
	if r.drafts {
		g.Go(func() (err error) {
			draft, err = inv.Plan(policy, r.now)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	inv.fill(ids, sizes)
	return draft, nil
}

// noSize is that of a snapshot that went since it was listed.
const noSize = -1

// measure asks for the sizes of snapshots.
func (r *reader) measure(ctx context.Context, ids []snapshotID) ([]int64, error) {
	sizes := make([]int64, len(ids))
	places := make([]int, len(ids))
	for i := range places {
		places[i] = i
	}
	return sizes, eachOf(ctx, measurements, places, func(ctx context.Context, i int) error {
		id := ids[i]
		usage, err := r.store.Snapshotter(id.Snapshotter).Usage(inNamespace(ctx, id.ns), id.Key)
		if errdefs.IsNotFound(err) {
			sizes[i] = noSize
			return nil
		}
		if err != nil {
			return fmt.Errorf("measuring snapshot %s in namespace %q: %w", id.SnapshotKey, id.ns, err)
		}
		sizes[i] = usage.Size
		r.progress.add(1)
		return nil
	})
}

// fill notes the sizes that were measured.
func (inv *Inventory) fill(ids []snapshotID, sizes []int64) {
	named := inv.named()
	for i, id := range ids {
		if sizes[i] == noSize {
			continue
		}
		snapshots := named[id.ns].Snapshots
		s := snapshots[id.SnapshotKey]
		s.Bytes, s.Measured = sizes[i], true
		snapshots[id.SnapshotKey] = s
	}
}

// toMeasure lists the snapshots to measure. It plans without sizes to learn
// which a prune needs.
func (r *reader) toMeasure(inv *Inventory, policy Policy) ([]snapshotID, *Plan, error) {
	switch {
	case r.opts.Explain != "":
		return r.toExplain(inv, policy)
	case r.opts.LeaseSizes:
		return newCollector(inv, r.now).snapshotsOfLeases(), nil, nil
	}
	plan, err := inv.Plan(policy, r.now)
	if err != nil {
		return nil, nil, err
	}
	return plan.toMeasure(), plan, nil
}

// toExplain lists the snapshots of what is to be explained. If a plan is
// wanted, its model of the store finds that as well.
func (r *reader) toExplain(inv *Inventory, policy Policy) (ids []snapshotID, draft *Plan, err error) {
	var c *collector
	if r.drafts {
		if draft, err = inv.plan(policy, r.now, true); err != nil {
			return nil, nil, err
		}
		c = draft.modelled().collector
	} else {
		c = newCollector(inv, r.now)
	}
	n, err := c.find(r.opts.Explain, policy.within())
	if err != nil {
		return nil, draft, nil //nolint:nilerr // whoever explains it says so
	}
	return c.snapshotsOf(n), draft, nil
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
	named := p.inventory.named()
	size := func(id snapshotID) int64 { return named[id.ns].Snapshots[id.SnapshotKey].Bytes }
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
	known := before.named()
	for _, ns := range inv.Namespaces {
		earlier := known[ns.Name]
		if earlier == nil {
			continue
		}
		for key, snapshot := range ns.Snapshots {
			measured := earlier.Snapshots[key]
			snapshot.Bytes, snapshot.Measured = measured.Bytes, measured.Measured
			ns.Snapshots[key] = snapshot
		}
	}
}
