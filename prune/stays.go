package prune

import (
	"context"
	"fmt"
	"slices"

	"github.com/containerd/containerd/v2/core/images"
)

// StayError says that a record which is to stay would not outlast a garbage
// collection: it has expired, and nothing that stays leads to it. Nothing is
// removed then, in no namespace, because a collection is one for all.
type StayError struct {
	Namespace, Name string
	// Expiry is the record's label containerd.io/gc.expire.
	Expiry string
	// Why is the reason for which it is to stay.
	Why Cause
}

func (e *StayError) Error() string {
	return fmt.Sprintf("image %q in namespace %q is to stay (%s), but it expired at %s and nothing that stays refers to it, so that any garbage collection removes it: take its label %s off, or remove the image",
		e.Name, e.Namespace, e.Why.Reason, e.Expiry, labelExpire)
}

// keeps looks at the invariant that what a plan says stays is there after the
// collection: each record with [Keep] is unexpired or reached. The error is a
// *[StayError].
func (p *Plan) keeps(c *collector, after reached) error {
	for _, d := range p.decisions {
		if d.Action != Keep {
			continue
		}
		if err := c.outlasts(after, d, d.image); err != nil {
			return err
		}
	}
	return nil
}

// outlasts says whether a record that is to stay outlasts a collection.
func (c *collector) outlasts(after reached, d Decision, record *images.Image) error {
	if !c.expired(record) || after.holds(imageNode(d.Namespace, d.Name)) {
		return nil
	}
	return &StayError{Namespace: d.Namespace, Name: d.Name, Expiry: record.Labels[labelExpire], Why: d.Cause}
}

// block makes a plan of one that removes something a plan that removes
// nothing, with the reason.
func (p *Plan) block(err error) {
	p.blocked = err
	why := because(codeBlocked, parts{Detail: err.Error()})
	for i := range p.decisions {
		if d := &p.decisions[i]; d.gone() {
			d.Action, d.Cause, d.StandIn = Keep, why, ""
		}
	}
	for i := range p.uploads {
		if u := &p.uploads[i]; u.Action == Remove {
			u.Action, u.Cause = Keep, why
		}
	}
	for _, ns := range p.chosen {
		p.refused = append(p.refused, Refusal{Namespace: ns.Name, Cause: why})
	}
}

// keepsStill looks at the same invariant while the plan is being executed: the
// records of the plan that stay, as they are in a new inventory, and at the
// time that it is now. Going are the records that are still to be deleted.
func (x *execution) keepsStill(inv *Inventory, going []Decision) error {
	if !x.plan.mayExpire() {
		return nil
	}
	c := newCollector(inv, x.opts.Now())
	ch := change{removed: make(map[node]bool, len(going))}
	for _, d := range going {
		ch.removed[imageNode(d.Namespace, d.Name)] = true
	}
	after := c.reach(ch)
	for _, d := range x.staying(c) {
		if err := c.outlasts(after, d, d.image); err != nil {
			return err
		}
	}
	return nil
}

// staying lists the records that are there and are to stay: those that the plan
// keeps, and those that somebody pinned in time.
func (x *execution) staying(c *collector) (all []Decision) {
	for _, d := range slices.Concat(x.plan.decisions, x.pinned(c)) {
		s := c.spaces[d.Namespace]
		if s == nil || s.records[d.Name] == nil {
			continue
		}
		d.image = s.records[d.Name]
		if d.Action == Keep {
			all = append(all, d)
		}
	}
	return all
}

// pinned lists the records that the run was to remove, and that somebody has
// pinned since.
func (x *execution) pinned(c *collector) (all []Decision) {
	for _, d := range x.rewritten {
		s := c.spaces[d.Namespace]
		if s == nil || s.records[d.Name] == nil {
			continue
		}
		if why := pinned(&unit{records: []*images.Image{s.records[d.Name]}}); why.given() {
			d.Action, d.Cause = Keep, why
			all = append(all, d)
		}
	}
	return all
}

// mayExpire says whether any record of the plan has an expiry that counts.
func (p *Plan) mayExpire() bool {
	if !parseVersion(p.inventory.Store.Version).atLeast(imagesAreNodes) {
		return false
	}
	for i := range p.decisions {
		if expires(p.decisions[i].image) {
			return true
		}
	}
	return false
}

// beforeCollecting looks once more whether what stays will outlast the
// collection that comes next. The containers are looked at after it: reading the
// store takes time, in which one may appear.
func (x *execution) beforeCollecting(ctx context.Context) error {
	if !x.plan.mayExpire() || x.opts.Grace > 0 {
		return nil
	}
	inv, err := x.glance(ctx)
	if err != nil {
		return err
	}
	return x.keepsStill(inv, nil)
}
