package prune

import (
	"fmt"
	"strings"
	"time"
)

// Plan is what a run will do, decided once. Only [Inventory.Plan] makes one;
// its methods tell, [Plan.Execute] does.
type Plan struct {
	inventory *Inventory
	policy    Policy
	now       time.Time
	chosen    []*Namespace
	decisions []Decision
	uploads   []Upload
	outcome   outcome
	notes     []string
	refused   []Refusal
	// blocked is why nothing is removed anywhere, nil if something may be.
	blocked error
}

// model is the collector's view of an inventory, as it is and after a plan. It
// is large: a plan does not keep it.
type model struct {
	collector *collector
	after     reached
	// views are the namespaces as they were decided about, by name; nil unless
	// they were asked for.
	views map[string]view
}

// Refusal says that nothing is removed from a namespace, and why.
type Refusal struct {
	Namespace string `json:"namespace"`
	Cause
}

func (r Refusal) Error() string {
	return fmt.Sprintf("nothing is removed from namespace %q: %s", r.Namespace, r.Reason)
}

// Plan decides what goes and why the rest stays. It is a pure function: the
// same inventory, policy and time give the same plan. The error is a
// *[PolicyError].
func (inv *Inventory) Plan(policy Policy, now time.Time) (*Plan, error) {
	p, _, err := inv.plan(policy, now, nil)
	return p, err
}

// plan also returns the model that it was made with, with the views if there is
// a map for them.
func (inv *Inventory) plan(policy Policy, now time.Time, views map[string]view) (*Plan, *model, error) {
	p, err := inv.decide(policy, now, views)
	if err != nil {
		return nil, nil, err
	}
	c := newCollector(inv, now)
	for _, ns := range p.chosen {
		p.uploads = append(p.uploads, c.uploads(ns, policy)...)
	}
	after := p.foresee(c)
	if err := p.keeps(c, after); err != nil && !p.Empty() {
		p.block(err)
		after = p.foresee(c)
	}
	addDetails(c, p.decisions, after)
	return p, &model{c, after, views}, nil
}

// decide makes the part of a plan that says what becomes of each record.
func (inv *Inventory) decide(policy Policy, now time.Time, views map[string]view) (*Plan, error) {
	chosen, err := policy.selected(inv)
	if err != nil {
		return nil, err
	}
	for _, ns := range chosen {
		if !inv.scope.has(ns.Name) || policy.Filters.NeedsLabels() && !inv.scope.hasLabels() {
			return nil, &PolicyError{fmt.Sprintf("the manifests of namespace %q were not read as this policy needs them: read the store with the scope of the policy", ns.Name)}
		}
	}
	p := &Plan{inventory: inv, policy: policy, now: now, chosen: chosen}
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
func (p *Plan) foresee(c *collector) reached {
	var after reached
	p.outcome, after = foresee(c, p.inventory, p.decisions, p.ended())
	return after
}

// modelled makes the model of a plan anew.
func (p *Plan) modelled() *model {
	c := newCollector(p.inventory, p.now)
	_, after := foresee(c, p.inventory, p.decisions, p.ended())
	return &model{collector: c, after: after}
}

// sized returns the model with the sizes of snapshots.
func (m *model) sized(inv *Inventory) *model {
	c := *m.collector
	c.inv = inv
	return &model{&c, m.after, m.views}
}

// view returns a namespace as it was decided about.
func (m *model) view(ns *Namespace) view {
	if v, known := m.views[ns.Name]; known {
		return v
	}
	return newView(ns, m.collector.inv.Store)
}

func (p *Plan) addNamespace(ns *Namespace) view {
	v := newView(ns, p.inventory.Store)
	p.decisions = append(p.decisions, decide(v, p.policy, p.inventory.Store, p.now)...)
	p.notes = append(p.notes, v.usage.unknown...)
	p.notes = append(p.notes, ns.unseen(p.inventory.Store.Snapshotters)...)
	if ns.Closed.given() {
		p.refused = append(p.refused, Refusal{Namespace: ns.Name, Cause: ns.Closed})
	}
	return v
}

// ended are the leases of killed runs, which this run will finish, and the
// uploads that the plan gives up.
func (p *Plan) ended() map[node]bool {
	ended := make(map[node]bool)
	for _, ns := range p.chosen {
		for _, id := range ns.Interrupted {
			ended[node{kind: kindLease, ns: ns.Name, key: id}] = true
		}
	}
	for _, u := range p.uploads {
		if u.Action == Remove {
			ended[node{kind: kindIngest, ns: u.Namespace, key: u.Ref}] = true
		}
	}
	return ended
}

// addDetails says of each record that goes why it frees less than it seems.
func addDetails(c *collector, decisions []Decision, after reached) {
	for i := range decisions {
		d := &decisions[i]
		if d.Action != Remove {
			continue
		}
		target := node{kind: kindContent, ns: d.Namespace, key: d.Target.Digest.String()}
		if _, known := c.spaces[d.Namespace].Blobs[d.Target.Digest]; !known {
			d.Details = append(d.Details, plainly(codeContentMissing))
		} else if k, ok := c.blobKeeper(target, after); ok {
			k = k.in(d.Namespace)
			d.Details = append(d.Details, because(codeContentHeld, parts{Keeper: &k}))
		}
	}
}

// Inventory is what the plan was made from.
func (p *Plan) Inventory() *Inventory { return p.inventory }

// Time is when the store was read; ages count back from it.
func (p *Plan) Time() time.Time { return p.now }

// Decisions returns what happens to each record of the pruned namespaces,
// sorted by namespace and name.
func (p *Plan) Decisions() []Decision { return append([]Decision(nil), p.decisions...) }

// Predicted is what the collection at the end of the run will free because of
// the plan.
func (p *Plan) Predicted() Amount { return p.outcome.freed.amount() }

// Garbage is what any collection would free already now.
func (p *Plan) Garbage() Amount { return p.outcome.garbage.amount() }

// Held lists what stays of the images that go, and who holds it.
func (p *Plan) Held() []Held { return append([]Held(nil), p.outcome.held...) }

// Notes are things a user should know that change nothing, such as containers
// whose image is not in the store.
func (p *Plan) Notes() []string { return append([]string(nil), p.notes...) }

// Refused lists the chosen namespaces that are left alone because what uses
// them could not be learned.
func (p *Plan) Refused() []Refusal { return append([]Refusal(nil), p.refused...) }

// Interrupted lists the chosen namespaces in which a killed run waits to be
// finished, which Execute does first.
func (p *Plan) Interrupted() []string {
	var names []string
	for _, ns := range p.chosen {
		if len(ns.Interrupted) > 0 {
			names = append(names, ns.Name)
		}
	}
	return names
}

// Empty says that Execute would change nothing.
func (p *Plan) Empty() bool {
	if p.blocked != nil {
		return true
	}
	for _, d := range p.decisions {
		if d.gone() && !d.collected {
			return false
		}
	}
	for _, u := range p.uploads {
		if u.Action == Remove {
			return false
		}
	}
	return len(p.Interrupted()) == 0 && !p.collectsGarbage()
}

// collectsGarbage says that the run has a reason to collect even when it
// removes no record: nobody else collects a store without a daemon.
func (p *Plan) collectsGarbage() bool {
	return len(p.chosen) > 0 && p.inventory.Store.Kind == StoreRoot && p.Garbage() != Amount{}
}

// Elsewhere counts the image records of the namespaces that the plan leaves
// out, for a user who looked in the wrong one. Those of build history, in which
// nothing is ever removed, do not help.
func (p *Plan) Elsewhere() map[string]int {
	counts := make(map[string]int)
	for _, ns := range p.inventory.Namespaces {
		history := strings.HasSuffix(ns.Name, historySuffix)
		if len(ns.Images) > 0 && !history && !containsNamespace(p.chosen, ns) {
			counts[ns.Name] = len(ns.Images)
		}
	}
	return counts
}

// batch is the records of one namespace that go.
type batch struct {
	ns      *Namespace
	records []Decision
}

// batches groups what goes by namespace, in order. A namespace with nothing
// to remove is among them if the run has other work there.
func (p *Plan) batches() []batch {
	if p.blocked != nil {
		return nil
	}
	going := make(map[string][]Decision)
	for _, d := range p.decisions {
		if d.gone() && !d.collected {
			going[d.Namespace] = append(going[d.Namespace], d)
		}
	}
	aborts := make(map[string]bool)
	for _, u := range p.uploads {
		aborts[u.Namespace] = aborts[u.Namespace] || u.Action == Remove
	}
	var all []batch
	for _, ns := range p.chosen {
		records := going[ns.Name]
		if len(records) > 0 || aborts[ns.Name] || len(ns.Interrupted) > 0 || p.collectsGarbage() {
			all = append(all, batch{ns: ns, records: records})
		}
	}
	return all
}
