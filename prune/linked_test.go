package prune_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// questions are what is asked of a store.
var questions = map[string]func(*inventory.Inventory){
	"plan": func(inv *inventory.Inventory) {
		p, m, err := plan.NewPlanAndModel(inv, tw.EveryImage, tw.Noon, nil)
		tw.Must(p, err).Weigh(m)
	},
	"usage": func(inv *inventory.Inventory) { tw.UsageOf(inv, tw.EveryImage, tw.Noon, false) },
	"objects": func(inv *inventory.Inventory) {
		tw.UsageOf(inv, tw.EveryImage, tw.Noon, true).Common(func(i int) int { return i })
	},
	"check": func(inv *inventory.Inventory) {
		k := &check.Checker{Inv: inv, C: gc.NewCollector(inv, tw.Noon)}
		k.Incomplete(inv.Namespaces[0], manifests.NewCompleteness(inv.Namespaces[0]))
		k.Unreached()
	},
	"explain": func(inv *inventory.Inventory) {
		tw.Must(tw.ExplainedBy(inv, inv.Namespaces[0].Images[0].Name, tw.EveryImage, tw.Noon))
	},
}

// allocated is how much memory a function asks for, all in all.
func allocated(do func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc - before.TotalAlloc)
}

// However images refer to each other, four times as many ask for no more than
// about four times the memory, whatever is asked.
func TestLinkedImagesCostNoSquare(t *testing.T) {
	tw.NotUnderRace(t)
	const n = 500
	for name := range tw.Linked {
		few, many := tw.LinkedInventory(name, n), tw.LinkedInventory(name, 4*n)
		for question, ask := range questions {
			ask(few) // what is made once
			if growth := allocated(func() { ask(many) }) / allocated(func() { ask(few) }); growth > 6 {
				t.Errorf("%s of %s: four times as many links ask for %.1f times the memory", question, name, growth)
			}
		}
	}
}

func BenchmarkLinked(b *testing.B) {
	for _, question := range []string{"plan", "usage", "objects", "check"} {
		for _, name := range []string{"chain", "star", "ladder", "fan", "signed", "names"} {
			for _, n := range []int{5000, 20_000} {
				b.Run(fmt.Sprintf("%s/%s/%d", question, name, n), func(b *testing.B) {
					inv := tw.LinkedInventory(name, n)
					b.ReportAllocs()
					for b.Loop() {
						questions[question](inv)
					}
				})
			}
		}
	}
}
