package rules_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// decidedAgain decides about an inventory, and again as a run does that carries
// out the first decisions.
func decidedAgain(t tw.TB, inv *inventory.Inventory, policy rules.Policy) {
	t.Helper()
	first := actions(t, inv, policy)
	again := policy
	again.Selection = rules.SelectionOf(&policy, tw.Must(plan.DecideAll(inv, policy, tw.Noon, nil)).Decisions)
	if diff := cmp.Diff(first, actions(t, inv, again)); diff != "" {
		t.Errorf("the same store is decided in another way while that is done (-first +again):\n%s", tw.Legend(diff))
	}
}

func actions(t tw.TB, inv *inventory.Inventory, policy rules.Policy) map[[2]string]rules.Action {
	t.Helper()
	p, err := plan.DecideAll(inv, policy, tw.Noon, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[[2]string]rules.Action)
	for _, d := range p.Decisions {
		all[d.Key()] = d.Action
	}
	return all
}

// A run decides again before it deletes. As long as nothing has changed, it
// decides what was planned.
func TestDecidedAgainAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := tw.RandomWorld(t, tw.Shape{Spaces: tw.RandomSpaces})
		inv := w.Inventory()
		policy := tw.RandomPolicy(t, inv)
		defer func() {
			if t.Failed() {
				t.Log(w)
			}
		}()
		decidedAgain(t, inv, policy)
	})
}

// A record that may expire lives by two ways, one of them by way of a record that
// nothing else needs.
func TestTheOtherWayIsNotNeeded(t *testing.T) {
	w := tw.World{"default": {
		tw.Blob("a"), tw.Record("a:1", "a"),
		tw.Blob("b"), tw.Record("b:1", "b", tw.BackImage("a:1")),
		tw.Blob("c"), tw.Record("c:1", "c", tw.Expiring(tw.Noon.Add(-1)), tw.BackContent("a"), tw.BackImage("b:1"), tw.Labelled(rules.LabelKeep, "")),
	}}
	policy := rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}
	tw.CheckDecided(t, "default", policy.Filters, w["default"], []string{
		`a:1: keep: "c:1", which is kept, exists only as long as this record`,
		"b:1: remove: unused",
		`c:1: keep: pinned by label ctr-prune/keep on "c:1"`,
	})
	decidedAgain(t, w.Inventory(), policy)
}
