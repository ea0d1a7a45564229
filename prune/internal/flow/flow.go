package flow

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
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
	if opts.AllSizes {
		plan, _, err := PlanMeanwhile(ctx, store, inv, policy, now, opts)
		return plan, err
	}
	plan, err := plan.NewPlan(inv, policy, now)
	if err != nil {
		return nil, err
	}
	sizes, err := read.Measure(ctx, store, inv, plan.ToMeasure(), opts)
	if err != nil {
		return nil, err
	}
	return plan.WithSizes(sizes), nil
}

// PlanMeanwhile measures every snapshot and plans at the same time: the server
// is busy with the one, this process with the other.
func PlanMeanwhile(ctx context.Context, store store.Store, inv *inventory.Inventory, policy rules.Policy, now time.Time, opts read.ReadOptions) (*plan.Plan, *plan.Model, error) {
	var p *plan.Plan
	var m *plan.Model
	var sizes inventory.Sizes
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		sizes, err = read.Measure(ctx, store, inv, inv.Objects().SortedSnapshots(), opts)
		return err
	})
	g.Go(func() (err error) {
		p, m, err = plan.NewPlanAndModel(inv, policy, now, nil)
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	p = p.WithSizes(sizes)
	return p, m.Sized(p.Inventory), nil
}
