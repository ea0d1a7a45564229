package prune

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"golang.org/x/sync/errgroup"
)

// noSize is that of a snapshot that went since it was listed.
const noSize = -1

// measure asks for the sizes of snapshots.
func measure(ctx context.Context, store Store, ids []SnapshotID, progress *meter) (Sizes, error) {
	bytes := make([]int64, len(ids))
	places := make([]int, len(ids))
	for i := range places {
		places[i] = i
	}
	err := eachOf(ctx, measurements, places, func(ctx context.Context, i int) error {
		id := ids[i]
		usage, err := store.Snapshotter(id.Snapshotter).Usage(inNamespace(ctx, id.Namespace), id.Key)
		if errdefs.IsNotFound(err) {
			bytes[i] = noSize
			return nil
		}
		if err != nil {
			return fmt.Errorf("measuring snapshot %s in namespace %q: %w", id.SnapshotKey, id.Namespace, err)
		}
		bytes[i] = usage.Size
		progress.add(1)
		return nil
	})
	if err != nil {
		return nil, err
	}
	sizes := make(Sizes, len(ids))
	for i, id := range ids {
		if bytes[i] != noSize {
			sizes[id] = bytes[i]
		}
	}
	return sizes, nil
}

// readMeasured reads the store and measures the snapshots that are asked for.
func readMeasured(ctx context.Context, store Store, scope Scope, now time.Time, opts ReadOptions, which func(*collector) []SnapshotID) (*Inventory, error) {
	inv, err := Read(ctx, store, scope, now, opts)
	if err != nil {
		return nil, err
	}
	sizes, err := measure(ctx, store, which(newCollector(inv, now)), newMeter(opts.Progress, StageRead))
	if err != nil {
		return nil, err
	}
	return inv.WithSizes(sizes), nil
}

// ReadPlan is the flow up to the plan: it reads the store, decides by the
// policy, and measures what the plan tells of. The error may be a
// *[PolicyError].
func ReadPlan(ctx context.Context, store Store, policy Policy, now time.Time, opts ReadOptions) (*Plan, error) {
	inv, err := Read(ctx, store, policy.Scope(), now, opts)
	if err != nil {
		return nil, err
	}
	progress := newMeter(opts.Progress, StageRead)
	if opts.AllSizes {
		plan, _, err := planMeanwhile(ctx, store, inv, policy, now, progress)
		return plan, err
	}
	plan, err := inv.Plan(policy, now)
	if err != nil {
		return nil, err
	}
	sizes, err := measure(ctx, store, plan.toMeasure(), progress)
	if err != nil {
		return nil, err
	}
	return plan.WithSizes(sizes), nil
}

// planMeanwhile measures every snapshot and plans at the same time: the server
// is busy with the one, this process with the other.
func planMeanwhile(ctx context.Context, store Store, inv *Inventory, policy Policy, now time.Time, progress *meter) (*Plan, *model, error) {
	var plan *Plan
	var m *model
	var sizes Sizes
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		sizes, err = measure(ctx, store, inv.objects().sortedSnapshots(), progress)
		return err
	})
	g.Go(func() (err error) {
		plan, m, err = inv.plan(policy, now, nil)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	plan = plan.WithSizes(sizes)
	return plan, m.sized(plan.inventory), nil
}

// toMeasure lists the snapshots whose sizes the plan tells.
func (p *Plan) toMeasure() []SnapshotID {
	wanted := newObjects()
	for _, part := range []objects{p.outcome.freed, p.outcome.garbage} {
		for id := range part.snapshots {
			wanted.snapshots[id] = 0
		}
	}
	for _, held := range p.outcome.held {
		if held.Snapshot != "" {
			wanted.snapshots[held.snapshot()] = 0
		}
	}
	return wanted.sortedSnapshots()
}

// WithSizes returns the same plan with the sizes of snapshots.
func (p *Plan) WithSizes(sizes Sizes) *Plan {
	sized := *p
	sized.inventory = p.inventory.WithSizes(sizes)
	sized.outcome.freed, sized.outcome.garbage = p.outcome.freed.sized(sizes), p.outcome.garbage.sized(sizes)
	sized.outcome.held = append([]Held(nil), p.outcome.held...)
	for i, held := range sized.outcome.held {
		if held.Snapshot != "" {
			sized.outcome.held[i].Bytes = sizes[held.snapshot()]
		}
	}
	return &sized
}

// sized returns the objects with the sizes of snapshots.
func (o objects) sized(sizes Sizes) objects {
	s := objects{blobs: o.blobs, snapshots: make(map[SnapshotID]int64, len(o.snapshots))}
	for id := range o.snapshots {
		s.snapshots[id] = sizes[id]
	}
	return s
}
