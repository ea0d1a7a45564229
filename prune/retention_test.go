package prune_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// manyRules is a policy of n rules, each for some images of bulkInventory, and as
// many patterns that protect.
func manyRules(n int) []byte {
	var b strings.Builder
	b.WriteString("version: 1\nprotect:\n  names:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - other.example/app-%05d:*\n", i)
	}
	b.WriteString("rules:\n")
	for i := range n {
		fmt.Fprintf(&b, "- {name: r%d, match: {namespaces: [\"d*\"], names: [\"bulk.example/app-%05d*\"]}, keep: {last: 1, within: 2w}}\n", i, 2*i)
	}
	b.WriteString("- {name: rest, match: {names: [\"**\"]}, keep: none}\n")
	return []byte(b.String())
}

// planBy reads a policy and plans by it.
func planBy(inv *inventory.Inventory, text []byte) *plan.Plan {
	policy := rules.Policy{Namespaces: []string{"default"}, Filters: filters.Everything(), Retention: tw.Must(retention.Parse("policy", text))}
	return tw.Must(plan.NewPlan(inv, policy, time.Unix(1_800_000_000, 0)))
}

// That many rules for many images cost no product of both, because rules are found
// by how names begin, is counted in TestManyOfAnythingCostNoSquare.
func TestManyRules(t *testing.T) {
	p := planBy(bulkInventory(2), manyRules(1))
	if p.Decisions[0].ReasonParts.Rule != "r0" || p.Decisions[1].ReasonParts.Rule != "rest" {
		t.Errorf("decided by %+v", p.Decisions)
	}
}

// BenchmarkPlanByRules plans 20,000 images by 10,000 rules and as many protected
// patterns; reading the policy is in it.
func BenchmarkPlanByRules(b *testing.B) {
	inv, text := bulkInventory(20_000), manyRules(10_000)
	b.ReportAllocs()
	for b.Loop() {
		planBy(inv, text)
	}
}
