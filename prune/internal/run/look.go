package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"

	clientleases "github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
)

// readStore reads the store again, except for what cannot have changed.
func (x *Execution) readStore(ctx context.Context) (*inventory.Inventory, error) {
	opts := x.opts.Reading()
	opts.Progress = nil
	inv, err := read.ReadAgain(ctx, x.Store, x.plan.Inventory, x.plan.Now, opts)
	if err != nil {
		return nil, fmt.Errorf("reading the store again: %w", err)
	}
	if x.baseline.Blobs == nil {
		x.baseline = inv.Objects()
	}
	return inv, nil
}

// revalidate leaves out of the batches what is not as it was when the plan
// was made, or would not be removed if it were made now.
func (x *Execution) revalidate(ctx context.Context) error {
	x.Watch.news()
	rolls, err := x.callRolls(ctx)
	if err != nil {
		return err
	}
	inv, err := x.readStore(ctx)
	if err != nil {
		return err
	}
	x.sight = newSight(lostOnes{inv: inv, absent: make(map[[2]string]digest.Digest)}, rolls)
	policy := x.plan.Policy
	policy.Selection, policy.Run = rules.SelectionOf(&x.plan.Policy, x.plan.Decisions), x.run.Name
	current, err := plan.DecideAll(inv, policy, x.plan.Now, nil)
	if err != nil {
		return err
	}
	x.failRefused(current)
	now := make(map[[2]string]rules.Decision, len(current.Decisions))
	for _, d := range current.Decisions {
		now[d.Key()] = d
	}
	for i := range x.Batches {
		b := &x.Batches[i]
		b.Records = slices.DeleteFunc(slices.Clone(b.Records), func(planned rules.Decision) bool {
			found, ok := now[[2]string{planned.Namespace, planned.Name}]
			why := changed(planned, found, ok)
			if why.Given() {
				x.Report.skip(planned, why)
				if ok {
					x.noteRewritten(planned)
				}
			}
			return why.Given()
		})
	}
	return x.keepsStill(inv, x.going())
}

// going lists what the batches remove.
func (x *Execution) going() (all []rules.Decision) {
	for _, b := range x.Batches {
		all = append(all, b.Records...)
	}
	return all
}

// changed says why a planned removal no longer fits the store, if it does not.
func changed(planned, found rules.Decision, ok bool) cause.Cause {
	switch {
	case !ok:
		return cause.Plainly(cause.CodeRemoved)
	case found.Target.Digest != planned.Target.Digest:
		return cause.Plainly(cause.CodeMoved)
	case !found.Image.UpdatedAt.Equal(planned.Image.UpdatedAt) || !found.Image.CreatedAt.Equal(planned.Image.CreatedAt):
		return cause.Plainly(cause.CodeRewritten)
	case !maps.Equal(found.Image.Labels, planned.Image.Labels):
		return cause.Plainly(cause.CodeRelabelled)
	case found.Action == rules.Keep:
		return cause.Because(cause.CodeNeeded, cause.Parts{Because: &found.Cause})
	case found.Action != planned.Action:
		return cause.Plainly(cause.CodeNamesChanged)
	default:
		return cause.Cause{}
	}
}

// putBack plans again, over the store as it is with the lost records in it,
// and re-creates those that this plan does not remove. So what must be
// restored is decided by the same rules as what may be removed. A record that is
// there is kept, except for those still to be removed. made is the policy by which
// they were deleted, nil if another run did that. It returns what was
// restored and, sorted, the lost records that were not.
func (x *Execution) putBack(ctx context.Context, lost map[string][]rules.Decision, made *rules.Policy, going []rules.Decision) (restored []Restored, gone []inventory.Record, err error) {
	if len(lost) == 0 {
		return nil, nil, nil
	}
	seen, err := x.readWith(ctx, lost)
	if err != nil {
		return nil, nil, err
	}
	return x.putBackInto(ctx, seen, lost, made, going)
}

// lostOnes are an inventory with records that the store lacks, and the targets of
// those that it lacks, by namespace and name.
type lostOnes struct {
	inv    *inventory.Inventory
	absent map[[2]string]digest.Digest
}

// readWith reads the store, and adds the lost records to what it finds.
func (x *Execution) readWith(ctx context.Context, lost map[string][]rules.Decision) (lostOnes, error) {
	inv, err := x.readStore(ctx)
	if err != nil {
		return lostOnes{}, err
	}
	return x.withRecords(relabelled(inv, x.unleased), lost), nil
}

// putBackInto does what putBack does with a store that was read.
func (x *Execution) putBackInto(ctx context.Context, seen lostOnes, lost map[string][]rules.Decision, made *rules.Policy, going []rules.Decision) (restored []Restored, gone []inventory.Record, err error) {
	inv, absent := seen.inv, seen.absent
	policy := rules.Everything()
	if made != nil {
		policy = *made
	}
	policy.Selection, policy.Run = rules.SelectionOf(made, only(absent, lost), going), x.run.Name
	policy.Namespaces, policy.AllNamespaces, policy.MissingOK = slices.Sorted(maps.Keys(lost)), false, true
	plan, err := plan.DecideAll(inv, policy, x.plan.Now, nil)
	if err != nil {
		return nil, nil, err
	}
	x.failRefused(plan)
	var errs []error
	for _, d := range plan.Decisions {
		if _, away := absent[d.Key()]; !away {
			continue
		}
		if d.Gone() {
			gone = append(gone, d.Record())
		}
		if d.Action == rules.Remove || !x.whole(inv, d) {
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
	slices.SortFunc(gone, inventory.CompareRecords)
	return restored, gone, errors.Join(errs...)
}

// recreate makes a record again, or the one that takes its place. It says
// whether it did: somebody else may have made one of that name by now.
func (x *Execution) recreate(ctx context.Context, d rules.Decision) (back Restored, made bool, err error) {
	record := images.Image{Name: d.Name, Target: d.Target, Labels: d.Image.Labels}
	if d.Action == rules.StandIn {
		record = d.StandInRecord()
	}
	_, err = x.Store.Images().Create(x.held(store.InNamespace(ctx, d.Namespace), &record), record)
	if errdefs.IsAlreadyExists(err) {
		return Restored{}, false, nil
	}
	if err != nil {
		return Restored{}, false, fmt.Errorf("restoring image %q in namespace %q: %w", record.Name, d.Namespace, err)
	}
	return Restored{Namespace: d.Namespace, Name: record.Name, Target: d.Target.Digest, Cause: d.Cause}, true, nil
}

// held makes the run lease hold a record that is made again and lives only by
// others, which may not be back yet.
func (x *Execution) held(ctx context.Context, record *images.Image) context.Context {
	if x.opts.NoGuard || !gc.Expires(record) {
		return ctx
	}
	return clientleases.WithLease(ctx, leases.RunID)
}

// withRecords adds to the inventory the records that it lacks.
func (x *Execution) withRecords(inv *inventory.Inventory, lost map[string][]rules.Decision) lostOnes {
	absent := make(map[[2]string]digest.Digest)
	for name, decisions := range lost {
		ns := inventory.Namespace{Name: name}
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
			absent[d.Key()] = d.Target.Digest
			records = append(records, x.lastSeen(d))
			if d.Subject != "" {
				subjects[d.Target.Digest] = d.Subject
			}
		}
		slices.SortFunc(records, func(a, b images.Image) int { return cmp.Compare(a.Name, b.Name) })
		ns.Images, ns.Subjects = records, subjects
		inv = inv.With(&ns)
	}
	return lostOnes{inv, absent}
}

// only lists the lost records that are absent.
func only(absent map[[2]string]digest.Digest, lost map[string][]rules.Decision) (list []rules.Decision) {
	for _, decisions := range lost {
		for _, d := range decisions {
			if _, away := absent[d.Key()]; away {
				list = append(list, d)
			}
		}
	}
	return list
}
