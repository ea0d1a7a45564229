package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// LabelTries is how often labels are written that cannot be.
const LabelTries = 3

// unleaseOrphans takes the snapshot labels off the configs of images that are
// gone and that only build history holds, as of now. A config whose image came
// back gets its labels back. The first error is for those that could not be
// taken off, the second is that of all else.
func (x *Execution) unleaseOrphans(ctx context.Context) (untaken, err error) {
	if len(x.plan.Outcome.Orphans) == 0 && len(x.unleased) == 0 {
		return nil, nil
	}
	var lost []rules.Decision
	for _, decisions := range x.restorable() {
		lost = append(lost, decisions...)
	}
	return x.settleOrphans(ctx, lost, x.run.Name, x.plan.Outcome.Orphans)
}

// settleOrphans does that for the configs below the records that a run lost,
// and below those whose labels are gone already.
func (x *Execution) settleOrphans(ctx context.Context, lost []rules.Decision, run string, planned []gc.Orphan) (untaken, err error) {
	inv, err := x.readStore(ctx)
	if err != nil {
		return nil, err
	}
	c := gc.NewCollector(inv, x.opts.Now())
	orphans := orphansOf(c, lost, run, planned)
	if err := x.relabel(ctx, c); err != nil || len(orphans) == 0 {
		return nil, err
	}
	x.unleased = append(x.unleased, orphans...)
	untaken = x.unlease(ctx, orphans)
	// An image may have come back since the store was read.
	if inv, err = x.readStore(ctx); err != nil {
		return untaken, err
	}
	return untaken, x.relabel(ctx, gc.NewCollector(inv, x.opts.Now()))
}

// orphansOf finds the orphaned configs below records that are gone. What the
// run's own leases hold does not count: they end. Under a grace only planned
// ones are touched, because only their snapshots are held for an undo.
func orphansOf(c *gc.Collector, lost []rules.Decision, run string, planned []gc.Orphan) []gc.Orphan {
	var victims []graph.Node
	ch := gc.Change{Ignored: make(map[graph.Node]bool)}
	for _, d := range lost {
		victims = append(victims, graph.Node{Kind: graph.KindContent, Namespace: d.Namespace, Key: d.Target.Digest.String()})
		ch.Ignored[graph.Node{Kind: graph.KindLease, Namespace: d.Namespace, Key: leases.RunID}] = true
	}
	graces := c.GracesOf(run)
	maps.Copy(ch.Ignored, graces)
	touched := c.Mark(victims, gc.Change{})
	found := c.Orphans(ch, touched)
	if len(graces) == 0 {
		return found
	}
	known := make(map[graph.Node]bool, len(planned))
	for _, o := range planned {
		known[o.Node()] = true
	}
	return slices.DeleteFunc(found, func(o gc.Orphan) bool { return !known[o.Node()] })
}

// relabelled returns the inventory with the labels that configs had in the store:
// they tell to which image a snapshot belongs, and so what a container needs.
func relabelled(inv *inventory.Inventory, unleased []gc.Orphan) *inventory.Inventory {
	in := make(map[string][]gc.Orphan)
	for _, o := range unleased {
		in[o.Namespace] = append(in[o.Namespace], o)
	}
	for _, ns := range inv.Namespaces {
		if orphans := in[ns.Name]; len(orphans) > 0 {
			inv = inv.With(relabelledNamespace(ns, orphans))
		}
	}
	return inv
}

func relabelledNamespace(ns *inventory.Namespace, orphans []gc.Orphan) *inventory.Namespace {
	changed := *ns
	changed.Blobs = maps.Clone(ns.Blobs)
	for _, o := range orphans {
		if blob, known := changed.Blobs[o.Config]; known {
			labels := maps.Clone(o.Labels)
			maps.Copy(labels, blob.Labels.Map())
			blob.Labels = inventory.LabelsOf(labels)
			changed.Blobs[o.Config] = blob
		}
	}
	return &changed
}

// relabel gives configs that an image reaches again their labels back.
func (x *Execution) relabel(ctx context.Context, c *gc.Collector) error {
	if len(x.unleased) == 0 {
		return nil
	}
	imaged := c.Mark(c.ImageRoots(gc.Change{}), gc.Change{})
	back := slices.DeleteFunc(slices.Clone(x.unleased), func(o gc.Orphan) bool { return !imaged.Holds(o.Node()) })
	return x.eachOrphan(ctx, back, func(ctx context.Context, o gc.Orphan) error {
		if err := store.Relabel(ctx, x.Store.Content(), o.Config, o.Labels); IgnoreNotFound(err) != nil {
			return fmt.Errorf("restoring the snapshot labels of config %s in namespace %q: %w", o.Config, o.Namespace, err)
		}
		return nil
	})
}

func (x *Execution) unlease(ctx context.Context, orphans []gc.Orphan) error {
	return x.eachOrphan(ctx, orphans, func(ctx context.Context, o gc.Orphan) error {
		if err := store.Unlabel(ctx, x.Store.Content(), o.Config, o.Labels); IgnoreNotFound(err) != nil {
			return fmt.Errorf("namespace %q: %w", o.Namespace, err)
		}
		return nil
	})
}

// eachOrphan writes the labels of orphans, and a little later once more those
// for which that failed.
func (x *Execution) eachOrphan(ctx context.Context, orphans []gc.Orphan, write func(context.Context, gc.Orphan) error) error {
	for try := 1; ; try++ {
		var left []gc.Orphan
		var errs []error
		for _, o := range orphans {
			err := write(store.InNamespace(ctx, o.Namespace), o)
			if err == nil {
				continue
			}
			left, errs = append(left, o), append(errs, err)
			if x.silent(ctx, err) != nil {
				return errors.Join(errs...)
			}
		}
		if len(left) == 0 || try == LabelTries || pause(ctx, try) != nil {
			return errors.Join(errs...)
		}
		orphans = left
	}
}
