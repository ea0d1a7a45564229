package run

import (
	"context"
	"slices"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// keepsStill looks at the same invariant while the plan is being executed: the
// records of the plan that stay, as they are in a new inventory, and at the
// time that it is now. Going are the records that are still to be deleted.
func (x *Execution) keepsStill(inv *inventory.Inventory, going []rules.Decision) error {
	if !x.plan.MayExpire() {
		return nil
	}
	c := gc.NewCollector(inv, x.opts.Now())
	ch := gc.Change{Removed: make(map[graph.Node]bool, len(going))}
	for _, d := range going {
		ch.Removed[graph.ImageNode(d.Namespace, d.Name)] = true
	}
	after := c.Reach(ch)
	for _, d := range x.staying(c) {
		if err := plan.Outlasts(c, after, d, d.Image); err != nil {
			return err
		}
	}
	return nil
}

// staying lists the records that are there and are to stay: those that the plan
// keeps, and those that somebody pinned in time.
func (x *Execution) staying(c *gc.Collector) (all []rules.Decision) {
	for _, d := range slices.Concat(x.plan.Decisions, x.pinned(c)) {
		s := c.Spaces[d.Namespace]
		if s == nil || s.Records[d.Name] == nil {
			continue
		}
		d.Image = s.Records[d.Name]
		if d.Action == rules.Keep {
			all = append(all, d)
		}
	}
	return all
}

// pinned lists the records that the run was to remove, and that somebody has
// pinned since.
func (x *Execution) pinned(c *gc.Collector) (all []rules.Decision) {
	for _, d := range x.rewritten {
		s := c.Spaces[d.Namespace]
		if s == nil || s.Records[d.Name] == nil {
			continue
		}
		if why := rules.Pinned(&rules.Unit{Records: []*images.Image{s.Records[d.Name]}}); why.Given() {
			d.Action, d.Cause = rules.Keep, why
			all = append(all, d)
		}
	}
	return all
}

// beforeCollecting looks once more whether what stays will outlast the
// collection that comes next. The containers are looked at after it: reading the
// store takes time, in which one may appear.
func (x *Execution) beforeCollecting(ctx context.Context) error {
	if !x.plan.MayExpire() || x.opts.Grace > 0 {
		return nil
	}
	inv, err := x.readStore(ctx)
	if err != nil {
		return err
	}
	return x.keepsStill(inv, nil)
}
