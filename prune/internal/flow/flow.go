package flow

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ctr-prune/ctr-prune/prune/internal/filesystem"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/pressure"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// ReadPlan is the flow up to the plan: it reads the store, decides by the
// policy, and measures the sizes that the plan shows. The error may be a
// *[rules.PolicyError].
func ReadPlan(ctx context.Context, store store.Store, policy rules.Policy, now time.Time, opts read.ReadOptions) (*plan.Plan, error) {
	inv, err := read.Read(ctx, store, policy.Scope(), now, opts)
	if err != nil {
		return nil, err
	}
	if policy.Pressure != nil {
		return planRelief(ctx, store, inv, policy, now, opts)
	}
	if opts.AllSizes {
		p, m, err := PlanMeanwhile(ctx, store, inv, policy, now, opts, nil)
		if err != nil {
			return nil, err
		}
		return p.Weigh(m), nil
	}
	return planMeasured(ctx, store, inv, policy, now, opts)
}

// planMeasured plans, and measures what the plan tells of.
func planMeasured(ctx context.Context, store store.Store, inv *inventory.Inventory, policy rules.Policy, now time.Time, opts read.ReadOptions) (*plan.Plan, error) {
	var ruler *read.Ruler
	var p *plan.Plan
	var m *plan.Model
	err := Meanwhile(ctx, inv, func(ctx context.Context) (err error) {
		if ruler, err = read.NewRuler(ctx, store, inv, inv.SortedSnapshots(), opts); err == nil {
			ruler.OnDisk().Look(inv.Scope.Has)
		}
		return err
	}, func(context.Context) (err error) {
		p, m, err = plan.NewPlanAndModel(inv, policy, now, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	sizes, err := ruler.Measure(ctx, p.ToMeasure(m, opts.OnlyGoing))
	if err != nil {
		return nil, err
	}
	p = p.WithSizes(sizes)
	return p.Weigh(m.Sized(p.Inventory)), nil
}

// planRelief measures every snapshot, and plans what the pressure of the policy
// needs. If that does not say which file systems there are, they are looked for.
func planRelief(ctx context.Context, store store.Store, inv *inventory.Inventory, policy rules.Policy, now time.Time, opts read.ReadOptions) (*plan.Plan, error) {
	if len(policy.Pressure.FileSystems) == 0 {
		asked := *policy.Pressure
		var err error
		if asked.FileSystems, err = (filesystem.Looker{}).Look(ctx, store); err != nil {
			return nil, err
		}
		policy.Pressure = &asked
	}
	ids := inv.SortedSnapshots()
	ruler, err := read.NewRuler(ctx, store, inv, ids, opts)
	if err != nil {
		return nil, err
	}
	sizes, inodes, err := ruler.Count(ctx, ids)
	if err != nil {
		return nil, err
	}
	p, m, err := pressure.NewPlan(inv.WithSizes(sizes), policy, now, inodes)
	if err != nil {
		return nil, err
	}
	p = p.WithSizes(sizes)
	return p.Weigh(m.Sized(p.Inventory)), nil
}

// largeStore is the number of snapshots from which the disk is looked at before
// planning, and not after or meanwhile: both take much memory, but not for long.
const largeStore = 50_000

func isLarge(inv *inventory.Inventory) bool {
	n := 0
	for _, ns := range inv.Namespaces {
		n += len(ns.Snapshots)
	}
	return n >= largeStore
}

// Meanwhile does several things with an inventory at the same time: the server or
// the disk is busy with the one, this process with the other. With a large store it
// does one after the other, in order.
func Meanwhile(ctx context.Context, inv *inventory.Inventory, tasks ...func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	if isLarge(inv) {
		g.SetLimit(1)
	}
	for _, task := range tasks {
		g.Go(func() error { return task(ctx) })
	}
	return g.Wait()
}

// PlanMeanwhile measures every snapshot and plans. Measured, if not nil, is called
// with the ruler while the plan may still be made.
func PlanMeanwhile(ctx context.Context, store store.Store, inv *inventory.Inventory, policy rules.Policy, now time.Time, opts read.ReadOptions, measured func(context.Context, *read.Ruler) error) (p *plan.Plan, m *plan.Model, err error) {
	var sizes inventory.Sizes
	err = Meanwhile(ctx, inv, func(ctx context.Context) error {
		ids := inv.SortedSnapshots()
		ruler, err := read.NewRuler(ctx, store, inv, ids, opts)
		if err != nil {
			return err
		}
		if sizes, err = ruler.Measure(ctx, ids); err != nil || measured == nil {
			return err
		}
		return measured(ctx, ruler)
	}, func(context.Context) (err error) {
		p, m, err = plan.NewPlanAndModel(inv, policy, now, nil)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	p = p.WithSizes(sizes)
	return p, m.Sized(p.Inventory), nil
}
