package df_test

import (
	"fmt"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/df"
	"github.com/ctr-prune/ctr-prune/prune/internal/explain"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// What images alone hold is looked at once for all of them.
func TestUsageVisitsObjectsOnce(t *testing.T) {
	tw.NotUnderRace(t)
	for name := range tw.Linked {
		inv := tw.LinkedInventory(name, 1000)
		plan := tw.Must(plan.NewPlan(inv, tw.EveryImage, tw.Noon))
		u := df.NewAccounting(inv, plan, plan.Modelled())
		u.Totals = u.Collector.Totals(u.Collector.Sizes(), df.TargetsOf(plan.Chosen))
		u.Images(inv.Namespaces[0], plan.Decisions)
		all := inv.Objects()
		if most := len(all.Blobs) + len(all.Snapshots); u.Walk.Visits > most {
			t.Errorf("%s: %d objects are visited %d times", name, most, u.Walk.Visits)
		}
	}
}

// A store in which many images each have two of many long chains takes more
// work than is done: all is told as a bound, and what is no bound is right.
func TestUsageOfATangle(t *testing.T) {
	const chains, length = 12, 40
	var things []tw.Thing
	for c := range chains {
		for i := range length {
			things = append(things, tw.Blob(fmt.Sprintf("chain %d link %d", c, i), tw.RefContent(fmt.Sprintf("chain %d link %d", c, i+1), ".m.0")))
		}
		for d := range c {
			name := fmt.Sprintf("pair %d %d", d, c)
			things = append(things, tw.Record("x.example/"+fmt.Sprintf("a:%d-%d", d, c), name), tw.Blob(name,
				tw.RefContent(fmt.Sprintf("chain %d link 0", d), ".m.0"), tw.RefContent(fmt.Sprintf("chain %d link 0", c), ".m.1")))
		}
	}
	inv := tw.World{"default": things}.Inventory()
	c := gc.NewCollector(inv, tw.Noon)
	w := c.Walk()
	w.Allowance = &graph.Allowance{Each: 10, Pool: 50 * length}
	bounds := 0
	for n, sum := range gc.SumBelow(w, c.Sizes(), df.TargetsOf(inv.Namespaces)) {
		want := explain.Holdings(c, n)
		if sum.Bound {
			bounds++
		}
		if got := sum.Amount; !sum.Bound && got != want || got.TotalBytes > want.TotalBytes {
			t.Errorf("%s: %+v, want %+v", n.Key, sum, want)
		}
	}
	if all := chains * (chains - 1) / 2; bounds == 0 || bounds == all {
		t.Errorf("%d of %d are bounds", bounds, all)
	}
}
