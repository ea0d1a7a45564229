package pressure

import (
	"fmt"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// NewPlan makes a plan that removes, of what the policy lets go, only what its
// pressure needs. Every snapshot of the inventory was measured. Like
// [plan.NewPlan] it is a pure function. The error may be a
// *[rules.PolicyError].
func NewPlan(inv *inventory.Inventory, policy rules.Policy, now time.Time, inodes inventory.Inodes) (*plan.Plan, *plan.Model, error) {
	if policy.Pressure == nil {
		return plan.NewPlanAndModel(inv, policy, now, nil)
	}
	if policy.Selection != nil {
		return nil, nil, &rules.PolicyError{Message: "what a plan file names cannot be narrowed down to what has to be freed"}
	}
	policy, ripe, err := whenCritical(inv, policy, now)
	if err != nil {
		return nil, nil, err
	}
	views := make(map[string]rules.View)
	draft, m, err := plan.NewPlanAndModel(inv, policy, now, views)
	if err != nil {
		return nil, nil, err
	}
	c := newChooser(draft, m, inodes, ripe)
	if err := c.unseen(); err != nil {
		return nil, nil, err
	}
	p, m, err := plan.NewPlanAndModel(inv, c.narrowed(draft), now, nil)
	if err != nil {
		return nil, nil, err
	}
	p.Relief = c.relief(p)
	p.Relief.Shortfall = c.shortfall(p, m)
	return p, m, nil
}

// whenCritical returns the policy by which images go when a disk is critical, if one
// is, and which records go by the policy as it is. Others go before their time, and last.
func whenCritical(inv *inventory.Inventory, policy rules.Policy, now time.Time) (rules.Policy, ripe, error) {
	relaxed := policy.Retention.WhenCritical()
	if !policy.Pressure.Critical || relaxed == policy.Retention {
		return policy, nil, nil
	}
	p, err := plan.DecideAll(inv, policy, now, nil)
	if err != nil {
		return policy, nil, err
	}
	its := make(ripe)
	for _, d := range p.Decisions {
		its[d.Key()] = d.Gone()
	}
	policy.Retention = relaxed
	return policy, its, nil
}

func newChooser(draft *plan.Plan, m *plan.Model, inodes inventory.Inodes, ripe ripe) *chooser {
	inv := draft.Inventory
	c := &chooser{asked: draft.Policy.Pressure, inodes: inodes}
	chosen := make(map[string]bool)
	for _, ns := range draft.Chosen {
		chosen[ns.Name] = true
		if draft.Blocked == nil {
			_, bunches := rules.DecideInBunches(m.View(ns), draft.Policy, inv.Store, draft.Now)
			c.spaces = append(c.spaces, bunches)
		}
	}
	graces := graceItems(m.Collector, func(namespace string) bool { return chosen[namespace] })
	c.items = order(graces, c.spaces, draft.Policy, ripe, draft.Now)
	c.walk = newWalk(m.Collector, c.items, draft)
	c.measure()
	c.ask()
	return c
}

// unseen refuses a store of which a part that it uses is not seen, if all of it has
// to be.
func (c *chooser) unseen() error {
	for i, f := range c.asked.FileSystems {
		if c.asked.Strict && f.Unseen != "" && (f.Content || c.used.disks[i] != amount{}) {
			return fmt.Errorf("how full the disk of %s is cannot be told: %s", f, f.Unseen)
		}
	}
	return nil
}

// narrowed is the policy that removes what was chosen.
func (c *chooser) narrowed(draft *plan.Plan) rules.Policy {
	places, why := c.shortest()
	helps, useful := c.helping(places), c.helping(len(c.items))
	stay := make(map[[2]string]cause.Cause)
	for _, d := range draft.Decisions {
		if !d.Gone() {
			stay[d.Key()] = d.Cause
		}
	}
	none := c.nothing()
	idle := !none.covers(c.need)
	var going []rules.Decision
	var dropped []string
	for i, it := range c.items {
		switch {
		case helps[i] && it.grace != "":
			dropped = append(dropped, it.grace)
		case helps[i]:
			going = append(going, it.bunch.Going...)
		case it.bunch != nil:
			code := codeOf(why, i < places || idle && !useful[i])
			for _, d := range it.bunch.Going {
				stay[d.Key()] = cause.Plainly(code)
			}
		}
	}
	policy := draft.Policy.Narrow(stay, going)
	policy.Dropped = slices.Concat(policy.Dropped, dropped)
	return policy
}

// codeOf says why an image stays.
func codeOf(why limit, idle bool) cause.Code {
	switch {
	case idle:
		return cause.CodeFreesNothing
	case why == reserve:
		return cause.CodeReserved
	default:
		return cause.CodeEnough
	}
}
