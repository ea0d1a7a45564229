package prune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/containerd/containerd/v2/core/images"
	clientleases "github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/leases"
)

// everything is the policy that removes all that is unused, for putting back
// what an interrupted run deleted: its own filters chose that already.
func everything() Policy { return Policy{Filters: filters.Everything()} }

// glance reads the store again, without what cannot have changed.
func (x *execution) glance(ctx context.Context) (*Inventory, error) {
	opts := ReadOptions{Sources: x.opts.Sources, Procfs: x.opts.Procfs}
	inv, err := readAgain(ctx, x.store, x.plan.inventory, x.plan.now, opts)
	if err != nil {
		return nil, fmt.Errorf("reading the store again: %w", err)
	}
	if x.baseline.blobs == nil {
		x.baseline = inv.objects()
	}
	return inv, nil
}

// revalidate leaves out of the batches what is not as it was when the plan
// was made, or would not be removed if it were made now.
func (x *execution) revalidate(ctx context.Context) error {
	inv, err := x.glance(ctx)
	if err != nil {
		return err
	}
	policy := x.plan.policy
	policy.selection, policy.run = selectionOf(x.plan.decisions), x.run.Name
	current, err := inv.decide(policy, x.plan.now, nil)
	if err != nil {
		return err
	}
	now := make(map[[2]string]Decision, len(current.decisions))
	for _, d := range current.decisions {
		now[d.key()] = d
	}
	for i := range x.batches {
		b := &x.batches[i]
		b.records = slices.DeleteFunc(slices.Clone(b.records), func(planned Decision) bool {
			found, ok := now[[2]string{planned.Namespace, planned.Name}]
			why := changed(planned, found, ok)
			if why.given() {
				x.report.skip(planned, why)
				if ok {
					x.noteRewritten(planned)
				}
			}
			return why.given()
		})
	}
	return x.keepsStill(inv, x.going())
}

// going lists what the batches remove.
func (x *execution) going() (all []Decision) {
	for _, b := range x.batches {
		all = append(all, b.records...)
	}
	return all
}

// changed says why a planned removal no longer fits the store, if it does not.
func changed(planned, found Decision, ok bool) Cause {
	switch {
	case !ok:
		return plainly(codeRemoved)
	case found.Target.Digest != planned.Target.Digest:
		return plainly(codeMoved)
	case !found.image.UpdatedAt.Equal(planned.image.UpdatedAt) || !found.image.CreatedAt.Equal(planned.image.CreatedAt):
		return plainly(codeRewritten)
	case !maps.Equal(found.image.Labels, planned.image.Labels):
		return plainly(codeRelabelled)
	case found.Action == Keep:
		return because(codeNeeded, parts{Because: &found.Cause})
	case found.Action != planned.Action:
		return plainly(codeNamesChanged)
	default:
		return Cause{}
	}
}

// putBack plans again, over the store as it is with the lost records in it,
// and re-creates those that this plan does not remove. So the rules for what
// must come back are the rules for what must not go. A record that is there
// stays, but for those that are still going. It returns what is back and,
// sorted, the lost records that are gone for good.
func (x *execution) putBack(ctx context.Context, lost map[string][]Decision, policy Policy, going []Decision) (restored []Restored, gone []Record, err error) {
	if len(lost) == 0 {
		return nil, nil, nil
	}
	inv, err := x.glance(ctx)
	if err != nil {
		return nil, nil, err
	}
	inv, absent := x.withRecords(inv.relabelled(x.unleased), lost)
	policy.selection, policy.run = selectionOf(only(absent, lost), going), x.run.Name
	policy.Namespaces, policy.AllNamespaces, policy.MissingOK = slices.Sorted(maps.Keys(lost)), false, true
	plan, err := inv.decide(policy, x.plan.now, nil)
	if err != nil {
		return nil, nil, err
	}
	var errs []error
	for _, d := range plan.decisions {
		if !absent[d.key()] {
			continue
		}
		if d.gone() {
			gone = append(gone, d.record())
		}
		if d.Action == Remove || !x.whole(inv, d) {
			continue
		}
		back, made, err := x.recreate(ctx, d)
		if err != nil {
			errs = append(errs, err)
			if x.silent(ctx, err) != nil {
				break // the others would tell the same
			}
			continue
		}
		if made {
			restored = append(restored, back)
		}
	}
	slices.SortFunc(gone, compareRecords)
	return restored, gone, errors.Join(errs...)
}

// recreate makes a record again, or the one that takes its place. It says
// whether it did: somebody else may have made one of that name by now.
func (x *execution) recreate(ctx context.Context, d Decision) (back Restored, made bool, err error) {
	record := images.Image{Name: d.Name, Target: d.Target, Labels: d.image.Labels}
	if d.Action == StandIn {
		record = d.standIn()
	}
	_, err = x.store.Images().Create(x.held(inNamespace(ctx, d.Namespace), &record), record)
	if errdefs.IsAlreadyExists(err) {
		return Restored{}, false, nil
	}
	if err != nil {
		return Restored{}, false, fmt.Errorf("putting back image %q in namespace %q: %w", record.Name, d.Namespace, err)
	}
	return Restored{Namespace: d.Namespace, Name: record.Name, Target: d.Target.Digest, Cause: d.Cause}, true, nil
}

// held makes the run lease hold a record that is made again and lives only by
// others, which may not be back yet.
func (x *execution) held(ctx context.Context, record *images.Image) context.Context {
	if x.opts.NoGuard || !expires(record) {
		return ctx
	}
	return clientleases.WithLease(ctx, leases.RunID)
}

// withRecords returns the inventory with the records that it lacks, and which
// these are.
func (x *execution) withRecords(inv *Inventory, lost map[string][]Decision) (*Inventory, map[[2]string]bool) {
	absent := make(map[[2]string]bool)
	for name, decisions := range lost {
		ns := Namespace{Name: name}
		if there := inv.Namespace(name); there != nil {
			ns = *there
		}
		present := make(map[string]bool, len(ns.Images))
		for _, image := range ns.Images {
			present[image.Name] = true
		}
		subjects := maps.Clone(ns.Subjects)
		if subjects == nil {
			subjects = make(map[digest.Digest]digest.Digest)
		}
		records := slices.Clone(ns.Images)
		for _, d := range decisions {
			if present[d.Name] {
				continue
			}
			absent[d.key()] = true
			records = append(records, x.lastSeen(d))
			if d.subject != "" {
				subjects[d.Target.Digest] = d.subject
			}
		}
		slices.SortFunc(records, func(a, b images.Image) int { return cmp.Compare(a.Name, b.Name) })
		ns.Images, ns.Subjects = records, subjects
		inv = inv.with(&ns)
	}
	return inv, absent
}

// only lists the lost records that are absent.
func only(absent map[[2]string]bool, lost map[string][]Decision) (list []Decision) {
	for _, decisions := range lost {
		for _, d := range decisions {
			if absent[d.key()] {
				list = append(list, d)
			}
		}
	}
	return list
}
