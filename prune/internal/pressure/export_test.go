package pressure

import (
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// Step is what goes together, and what is freed when it and all before it are gone.
type Step struct {
	Going   []rules.Decision
	Dropped []string
	Frees   inventory.Objects
}

// Steps lists the steps of an order; the first is nothing.
func Steps(inv *inventory.Inventory, policy rules.Policy, now time.Time) (steps []Step, blocked bool, err error) {
	views := make(map[string]rules.View)
	draft, m, err := plan.NewPlanAndModel(inv, policy, now, views)
	if err != nil || draft.Blocked != nil {
		return nil, true, err
	}
	c := newChooser(draft, m, nil, nil)
	frees := make([]inventory.Objects, len(c.items)+1)
	for i := range frees {
		frees[i] = inventory.NewObjects()
	}
	c.each(nil, func(o object) {
		switch {
		case o.at == gc.Stays:
		case o.blob != "":
			frees[o.at].Blobs[o.blob] = o.bytes
		default:
			frees[o.at].Snapshots[o.id] = o.bytes
		}
	})
	steps = append(steps, Step{Frees: frees[0]})
	for at := 0; at < len(c.items); {
		end := c.stepEnd(at)
		s := Step{Frees: inventory.NewObjects()}
		for i := at; i < end; i++ {
			if it := c.items[i]; it.bunch == nil {
				s.Dropped = append(s.Dropped, it.grace)
			} else {
				s.Going = append(s.Going, it.bunch.Going...)
			}
			for dgst, bytes := range frees[i+1].Blobs {
				s.Frees.Blobs[dgst] = bytes
			}
			for id, bytes := range frees[i+1].Snapshots {
				s.Frees.Snapshots[id] = bytes
			}
		}
		steps = append(steps, s)
		at = end
	}
	return steps, false, nil
}

// Followers are the records of what is about another image.
func Followers(inv *inventory.Inventory, policy rules.Policy, now time.Time) map[[2]string]bool {
	draft, m, err := plan.NewPlanAndModel(inv, policy, now, make(map[string]rules.View))
	if err != nil {
		return nil
	}
	found := make(map[[2]string]bool)
	for _, it := range newChooser(draft, m, nil, nil).items {
		if it.bunch != nil && it.bunch.Subject != nil {
			for _, d := range it.bunch.Going {
				found[d.Key()] = true
			}
		}
	}
	return found
}
