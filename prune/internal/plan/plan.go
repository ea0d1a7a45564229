package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Plan is what a run will do, decided once. Only [NewPlan] makes one;
// package run does it. Its fields are to be read only.
type Plan struct {
	Inventory *inventory.Inventory
	Policy    rules.Policy
	Now       time.Time
	Chosen    []*inventory.Namespace
	Decisions []rules.Decision
	Uploads   []Upload
	Outcome   Outcome
	Notes     []cause.Cause
	Refused   []Refusal
	// Blocked is why nothing is removed anywhere, nil if something may be.
	Blocked error
	// Fuse is why a run is refused that would remove as much as this, nil if it
	// is not.
	Fuse error
	// Relief is what the plan frees of what has to be freed, nil if nobody asked.
	Relief *Relief
	// Weights are what each image is and adds, nil until the plan is weighed.
	Weights *Weights
}

// Model is the collector's view of an inventory, as it is and after a plan. It
// is large: a plan does not keep it.
type Model struct {
	Collector *gc.Collector
	After     graph.Reached
	// views are the namespaces as they were decided about, by name; nil unless
	// they were asked for.
	views map[string]rules.View
}

// Refusal says that nothing is removed from a namespace, and why.
type Refusal struct {
	Namespace string `json:"namespace"`
	cause.Cause
}

func (r Refusal) Error() string {
	return fmt.Sprintf("nothing is removed from namespace %q: %s", r.Namespace, r.Reason)
}

// NewPlan decides what is removed and why the rest is kept. It is a pure
// function: the same inventory, policy and time give the same plan. The error
// is a *[rules.PolicyError].
func NewPlan(inv *inventory.Inventory, policy rules.Policy, now time.Time) (*Plan, error) {
	p, m, err := NewPlanAndModel(inv, policy, now, nil)
	if err != nil {
		return nil, err
	}
	return p.Weigh(m), nil
}

// NewPlanAndModel returns a plan that is not weighed yet, and the model that it was made
// with, with the views if there is a map for them.
func NewPlanAndModel(inv *inventory.Inventory, policy rules.Policy, now time.Time, views map[string]rules.View) (*Plan, *Model, error) {
	p, err := DecideAll(inv, policy, now, views)
	if err != nil {
		return nil, nil, err
	}
	c := gc.NewCollector(inv, now)
	for _, ns := range p.Chosen {
		p.Uploads = append(p.Uploads, DecideUploads(c, ns, policy)...)
	}
	after := p.foresee(c)
	if err := p.keeps(c, after); err != nil && !p.Empty() {
		p.block(err)
		after = p.foresee(c)
	}
	addDetails(c, p.Decisions, after)
	p.Fuse = p.blown()
	return p, &Model{c, after, views}, nil
}

// DecideAll makes the part of a plan that says what becomes of each record.
func DecideAll(inv *inventory.Inventory, policy rules.Policy, now time.Time, views map[string]rules.View) (*Plan, error) {
	chosen, err := policy.Selected(inv)
	if err != nil {
		return nil, err
	}
	for _, ns := range chosen {
		if !inv.Scope.Has(ns.Name) || policy.Scope().Labels && !inv.Scope.HasLabels() {
			return nil, &rules.PolicyError{Message: fmt.Sprintf("the manifests of namespace %q were not read as this policy needs them: read the store with the scope of the policy", ns.Name)}
		}
	}
	if policy, err = policy.Resolve(chosen, inv.Store); err != nil {
		return nil, err
	}
	p := &Plan{Inventory: inv, Policy: policy, Now: now, Chosen: chosen}
	for _, ns := range chosen {
		v := p.addNamespace(ns)
		if views != nil {
			views[ns.Name] = v
		}
	}
	return p, nil
}

// foresee fills in the outcome of the decisions, and returns what is reached
// then.
func (p *Plan) foresee(c *gc.Collector) graph.Reached {
	var after graph.Reached
	p.Outcome, after = Foresee(c, p.Inventory, p.Decisions, p.Ended())
	return after
}

// Modelled makes the model of a plan anew.
func (p *Plan) Modelled() *Model {
	c := gc.NewCollector(p.Inventory, p.Now)
	_, after := Foresee(c, p.Inventory, p.Decisions, p.Ended())
	return &Model{Collector: c, After: after}
}

// Sized returns the model with the sizes of snapshots.
func (m *Model) Sized(inv *inventory.Inventory) *Model {
	c := *m.Collector
	c.Inv = inv
	return &Model{&c, m.After, m.views}
}

// View returns a namespace as it was decided about.
func (m *Model) View(ns *inventory.Namespace) rules.View {
	if v, known := m.views[ns.Name]; known {
		return v
	}
	return rules.NewView(ns, m.Collector.Inv.Store)
}

func (p *Plan) addNamespace(ns *inventory.Namespace) rules.View {
	v := rules.NewView(ns, p.Inventory.Store)
	p.Decisions = append(p.Decisions, rules.Decide(v, p.Policy, p.Inventory.Store, p.Now)...)
	p.Notes = append(append(p.Notes, ns.Notes...), v.Usage.Unknown...)
	if p.running(ns) {
		p.Notes = append(p.Notes, cause.Because(cause.CodeRunning, cause.Parts{Namespace: ns.Name}))
	}
	p.Notes = append(p.Notes, clients.Unseen(ns, p.Inventory.Store.Snapshotters)...)
	if ns.Closed.Given() {
		p.Refused = append(p.Refused, Refusal{Namespace: ns.Name, Cause: ns.Closed})
	}
	return v
}

// running says whether another run is in progress in a namespace: its lease is there,
// and it was not killed.
func (p *Plan) running(ns *inventory.Namespace) bool {
	return slices.ContainsFunc(ns.Leases, func(lease inventory.Lease) bool {
		return lease.ID == leases.RunID && lease.Labels[leases.RunLabel] != p.Policy.Run && !slices.Contains(ns.Interrupted, lease.ID)
	})
}

// Ended are the leases of killed runs, which this run will finish, those of graces
// that end before it, and the uploads that the plan aborts.
func (p *Plan) Ended() map[graph.Node]bool {
	ended := make(map[graph.Node]bool)
	for _, grace := range p.Inventory.Graces() {
		if slices.Contains(p.Policy.Dropped, grace.Run) {
			ended[grace.Lease] = true
		}
	}
	for _, ns := range p.Chosen {
		for _, id := range ns.Interrupted {
			ended[graph.Node{Kind: graph.KindLease, Namespace: ns.Name, Key: id}] = true
		}
	}
	for _, u := range p.Uploads {
		if u.Action == rules.Remove {
			ended[graph.Node{Kind: graph.KindIngest, Namespace: u.Namespace, Key: u.Ref}] = true
		}
	}
	return ended
}

// addDetails adds to each record to be removed why that frees less than it
// seems.
func addDetails(c *gc.Collector, decisions []rules.Decision, after graph.Reached) {
	for i := range decisions {
		d := &decisions[i]
		if d.Action != rules.Remove {
			continue
		}
		target := graph.Node{Kind: graph.KindContent, Namespace: d.Namespace, Key: d.Target.Digest.String()}
		if _, known := c.Spaces[d.Namespace].Blobs[d.Target.Digest]; !known {
			d.Details = append(d.Details, cause.Plainly(cause.CodeContentMissing))
		} else if k, ok := c.BlobKeeper(target, after); ok {
			k = k.In(d.Namespace)
			d.Details = append(d.Details, cause.Because(cause.CodeContentHeld, cause.Parts{Keeper: &k}))
		}
	}
}

// Time is when the store was read; ages count back from it.
func (p *Plan) Time() time.Time { return p.Now }

// Predicted is what the collection at the end of the run will free because of
// the plan.
func (p *Plan) Predicted() inventory.Amount { return p.Outcome.Freed.Amount() }

// Garbage is what any collection would free already now.
func (p *Plan) Garbage() inventory.Amount { return p.Outcome.Garbage.Amount() }

// Held lists what is kept of the removed images, and who holds it.
func (p *Plan) Held() []Held { return append([]Held(nil), p.Outcome.Held...) }

// Interrupted lists the chosen namespaces in which a killed run waits to be
// finished, which Execute does first.
func (p *Plan) Interrupted() []string {
	var names []string
	for _, ns := range p.Chosen {
		if len(ns.Interrupted) > 0 {
			names = append(names, ns.Name)
		}
	}
	return names
}

// Empty says that Execute would change nothing.
func (p *Plan) Empty() bool {
	if p.Blocked != nil {
		return true
	}
	for _, d := range p.Decisions {
		if d.Gone() && !d.Collected {
			return false
		}
	}
	for _, u := range p.Uploads {
		if u.Action == rules.Remove {
			return false
		}
	}
	return len(p.Interrupted()) == 0 && !p.collectsGarbage()
}

// collectsGarbage says that the run has a reason to collect even when it
// removes no record: nobody else collects a store without a daemon, or soon enough.
func (p *Plan) collectsGarbage() bool {
	alone := p.Inventory.Store.Kind == store.StoreRoot || p.Relief != nil && p.Relief.Collects
	return len(p.Chosen) > 0 && alone && p.Garbage() != inventory.Amount{}
}

// Dropped lists the records of a plan file that this plan skips, with the
// reasons: those that no longer exist, and those that have changed or are in
// use by now. It is empty for a plan that was not made from a file.
func (p *Plan) Dropped() []rules.Skip {
	s := p.Policy.Selection
	if !s.FromFile() {
		return nil
	}
	var skips []rules.Skip
	for _, record := range s.Missing(p.Inventory) {
		skips = append(skips, rules.Skip{Record: record, Cause: cause.Plainly(cause.CodeGone)})
	}
	for _, d := range p.Decisions {
		if _, ok := s.Records[d.Key()]; ok && d.Action == rules.Keep {
			skips = append(skips, rules.Skip{Record: d.Record(), Cause: d.Cause})
		}
	}
	slices.SortFunc(skips, func(a, b rules.Skip) int { return inventory.CompareRecords(a.Record, b.Record) })
	return skips
}
