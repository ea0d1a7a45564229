package plan

import (
	"fmt"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// StayError says that a record to be kept would not survive a garbage
// collection, because it has expired and nothing that is kept refers to it.
// Then nothing is removed in any namespace, because a collection covers all of
// them.
type StayError struct {
	Namespace, Name string
	// Expiry is the record's label containerd.io/gc.expire.
	Expiry string
	// Why is the reason for which it is to stay.
	Why cause.Cause
}

// Record names the record that is to stay.
func (e *StayError) Record() (namespace, name string) { return e.Namespace, e.Name }

func (e *StayError) Error() string {
	return fmt.Sprintf("image %q in namespace %q is to be kept (%s), but it expired at %s and nothing that is kept refers to it, so the next garbage collection removes it: remove its label %s, or remove the image",
		e.Name, e.Namespace, e.Why.Reason, e.Expiry, gc.LabelExpire)
}

// keeps looks at the invariant that what a plan says stays is there after the
// collection: each record with [rules.Keep] is unexpired or reached. The error is a
// *[StayError].
func (p *Plan) keeps(c *gc.Collector, after graph.Reached) error {
	for _, d := range p.Decisions {
		if d.Action != rules.Keep {
			continue
		}
		if err := Outlasts(c, after, d, d.Image); err != nil {
			return err
		}
	}
	return nil
}

// Outlasts reports whether a record that is to be kept survives a collection.
func Outlasts(c *gc.Collector, after graph.Reached, d rules.Decision, record *images.Image) error {
	if !c.Expired(record) || after.Holds(graph.ImageNode(d.Namespace, d.Name)) {
		return nil
	}
	return &StayError{Namespace: d.Namespace, Name: d.Name, Expiry: record.Labels[gc.LabelExpire], Why: d.Cause}
}

// block makes a plan of one that removes something a plan that removes
// nothing, with the reason.
func (p *Plan) block(err error) {
	p.Blocked = err
	why := cause.Because(cause.CodeBlocked, cause.Parts{Detail: err.Error()})
	for i := range p.Decisions {
		if d := &p.Decisions[i]; d.Gone() {
			d.Action, d.Cause, d.StandIn = rules.Keep, why, ""
		}
	}
	for i := range p.Uploads {
		if u := &p.Uploads[i]; u.Action == rules.Remove {
			u.Action, u.Cause = rules.Keep, why
		}
	}
	for _, ns := range p.Chosen {
		p.Refused = append(p.Refused, Refusal{Namespace: ns.Name, Cause: why})
	}
}

// MayExpire says whether any record of the plan has an expiry that counts.
func (p *Plan) MayExpire() bool {
	if !gc.ParseVersion(p.Inventory.Store.Version).AtLeast(gc.ImagesAreNodes) {
		return false
	}
	for i := range p.Decisions {
		if gc.Expires(p.Decisions[i].Image) {
			return true
		}
	}
	return false
}
