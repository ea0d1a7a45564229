package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

func TestElsewhere(t *testing.T) {
	inv := tw.World{"default": {tw.Record("x:1", "a")}, "k8s.io": {tw.Record("x:1", "a"), tw.Record("x:2", "a"), tw.Record("y:1", "b")}, "moby_history": {tw.Record("x:1", "a")}, "empty": nil}.Inventory()
	plan := tw.Must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"empty"}, Filters: tw.All()}, tw.Noon))
	if diff := cmp.Diff(map[string]int{"default": 1, "k8s.io": 2}, plan.Elsewhere()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !plan.Empty() {
		t.Error("there is something to do in an empty namespace")
	}
}
