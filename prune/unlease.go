package prune

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ctr-prune/ctr-prune/leases"
)

// labelTries is how often labels are written that cannot be.
const labelTries = 3

// unleaseOrphans takes the snapshot labels off the configs of images that are
// gone and that only build history holds, as of now. A config whose image came
// back gets its labels back. The first error is for those that could not be
// taken off, the second is that of all else.
func (x *execution) unleaseOrphans(ctx context.Context) (untaken, err error) {
	if len(x.plan.outcome.orphans) == 0 && len(x.unleased) == 0 {
		return nil, nil
	}
	var lost []Decision
	for _, decisions := range x.attempted {
		lost = append(lost, decisions...)
	}
	return x.settleOrphans(ctx, lost, x.run.Name, x.plan.outcome.orphans)
}

// settleOrphans does that for the configs below the records that a run lost,
// and below those whose labels are gone already.
func (x *execution) settleOrphans(ctx context.Context, lost []Decision, run string, planned []orphan) (untaken, err error) {
	inv, err := x.glance(ctx)
	if err != nil {
		return nil, err
	}
	c := newCollector(inv, x.opts.Now())
	orphans := c.orphansOf(lost, run, planned)
	if err := x.relabel(ctx, c); err != nil || len(orphans) == 0 {
		return nil, err
	}
	x.unleased = append(x.unleased, orphans...)
	untaken = x.unlease(ctx, orphans)
	// An image may have come back since the store was read.
	if inv, err = x.glance(ctx); err != nil {
		return untaken, err
	}
	return untaken, x.relabel(ctx, newCollector(inv, x.opts.Now()))
}

// orphansOf finds the orphaned configs below records that are gone. What the
// run's own leases hold does not count: they end. Under a grace only planned
// ones are touched, for only their snapshots are held for an undo.
func (c *collector) orphansOf(lost []Decision, run string, planned []orphan) []orphan {
	var victims []node
	ch := change{ignored: make(map[node]bool)}
	for _, d := range lost {
		victims = append(victims, node{kind: kindContent, ns: d.Namespace, key: d.Target.Digest.String()})
		ch.ignored[node{kind: kindLease, ns: d.Namespace, key: leases.RunID}] = true
	}
	graces := c.gracesOf(run)
	maps.Copy(ch.ignored, graces)
	touched := c.mark(victims, change{})
	found := c.orphans(ch, touched)
	if len(graces) == 0 {
		return found
	}
	known := make(map[node]bool, len(planned))
	for _, o := range planned {
		known[o.node()] = true
	}
	return slices.DeleteFunc(found, func(o orphan) bool { return !known[o.node()] })
}

// gracesOf lists the grace leases of a run.
func (c *collector) gracesOf(run string) map[node]bool {
	graces := make(map[node]bool)
	for _, s := range c.order {
		for _, lease := range s.Leases {
			if r, ok := leases.GraceRun(lease.Lease); ok && r.Name == run {
				graces[node{kind: kindLease, ns: s.Name, key: lease.ID}] = true
			}
		}
	}
	return graces
}

// relabelled returns the inventory with the labels that configs had in the store:
// they tell to which image a snapshot belongs, and so what a container needs.
func (inv *Inventory) relabelled(unleased []orphan) *Inventory {
	in := make(map[string][]orphan)
	for _, o := range unleased {
		in[o.Namespace] = append(in[o.Namespace], o)
	}
	for _, ns := range inv.Namespaces {
		if orphans := in[ns.Name]; len(orphans) > 0 {
			inv = inv.with(ns.relabelled(orphans))
		}
	}
	return inv
}

func (ns *Namespace) relabelled(orphans []orphan) *Namespace {
	changed := *ns
	changed.Blobs = maps.Clone(ns.Blobs)
	for _, o := range orphans {
		if blob, known := changed.Blobs[o.Config]; known {
			labels := make(map[string]string, len(o.Labels)+len(blob.Labels))
			maps.Copy(labels, o.Labels)
			maps.Copy(labels, blob.Labels)
			blob.Labels = labels
			changed.Blobs[o.Config] = blob
		}
	}
	return &changed
}

// relabel gives configs that an image reaches again their labels back.
func (x *execution) relabel(ctx context.Context, c *collector) error {
	if len(x.unleased) == 0 {
		return nil
	}
	imaged := c.mark(c.imageRoots(change{}), change{})
	back := slices.DeleteFunc(slices.Clone(x.unleased), func(o orphan) bool { return !imaged.holds(o.node()) })
	return x.eachOrphan(ctx, back, func(ctx context.Context, o orphan) error {
		if err := leases.Relabel(ctx, x.store.Content(), o.Config, o.Labels); ignoreNotFound(err) != nil {
			return fmt.Errorf("giving config %s in namespace %q its snapshot labels back: %w", o.Config, o.Namespace, err)
		}
		return nil
	})
}

func (x *execution) unlease(ctx context.Context, orphans []orphan) error {
	return x.eachOrphan(ctx, orphans, func(ctx context.Context, o orphan) error {
		if err := leases.Unlease(ctx, x.store.Content(), o.Config, o.Labels); ignoreNotFound(err) != nil {
			return fmt.Errorf("namespace %q: %w", o.Namespace, err)
		}
		return nil
	})
}

// eachOrphan writes the labels of orphans, and a little later once more those
// for which that failed.
func (x *execution) eachOrphan(ctx context.Context, orphans []orphan, write func(context.Context, orphan) error) error {
	for try := 1; ; try++ {
		var left []orphan
		var errs []error
		for _, o := range orphans {
			err := write(inNamespace(ctx, o.Namespace), o)
			if err == nil {
				continue
			}
			left, errs = append(left, o), append(errs, err)
			if x.silent(ctx, err) != nil {
				return errors.Join(errs...)
			}
		}
		if len(left) == 0 || try == labelTries || pause(ctx, try) != nil {
			return errors.Join(errs...)
		}
		orphans = left
	}
}
