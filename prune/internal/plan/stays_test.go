package plan_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A record that must stay and that any collection removes: then nothing is
// removed, and the sentence names it.
func TestPlanThatCannotBeKept(t *testing.T) {
	w := tw.World{
		"default": {tw.Record("a:1", "a", tw.Expiring(tw.Noon.Add(-1)), tw.Labelled(rules.LabelKeep, "")), tw.Blob("a"), tw.Record("b:1", "b"), tw.Blob("b")},
		"other":   {tw.Record("c:1", "c"), tw.Blob("c")},
	}
	p := tw.Must(plan.NewPlan(w.Inventory(), rules.Policy{AllNamespaces: true, Filters: tw.All(), IngestAge: 1}, tw.Noon))
	if !p.Empty() || p.Predicted() != (inventory.Amount{}) {
		t.Errorf("the plan removes something: %v", p.Decisions)
	}
	for _, d := range p.Decisions {
		if d.Action != rules.Keep {
			t.Errorf("%s goes: %s", d.Name, d.Reason)
		}
	}
	var stay *plan.StayError
	_, err := run.Execute(t.Context(), p, nil, run.ExecuteOptions{})
	if !errors.As(err, &stay) || stay.Name != "a:1" || stay.Namespace != "default" {
		t.Errorf("the plan was executed with %v", err)
	}
	refused := p.Refused
	if len(refused) != 2 || !strings.Contains(refused[0].Reason, `image "a:1" in namespace "default" is to be kept (pinned by label ctr-prune/keep`) {
		t.Errorf("refused: %v", refused)
	}
}

// In a namespace that is left alone the collection takes what has expired all
// the same. That is told, and keeps nobody from pruning another namespace.
func TestExpiredInAClosedNamespace(t *testing.T) {
	w := tw.World{
		"x_history": {tw.Record("a:1", "a", tw.Expiring(tw.Noon.Add(-1))), tw.Blob("a")},
		"default":   {tw.Record("b:1", "b"), tw.Blob("b")},
	}
	p := tw.Must(plan.NewPlan(w.Inventory(), rules.Policy{AllNamespaces: true, Filters: tw.All()}, tw.Noon))
	for _, d := range p.Decisions {
		if d.Action != rules.Remove {
			t.Errorf("%s: %s: %s", d.Name, d.Action, d.Reason)
		}
	}
	if batches := p.Batches(); len(batches) != 1 || batches[0].Namespace.Name != "default" {
		t.Errorf("the run deletes in %v", batches)
	}
	delete(w, "default")
	if plan := tw.Must(plan.NewPlan(w.Inventory(), rules.Policy{AllNamespaces: true, Filters: tw.All()}, tw.Noon)); !plan.Empty() {
		t.Error("there is nothing to do for a run, and the plan is not empty")
	}
}
