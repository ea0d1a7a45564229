package prune

import (
	"fmt"
	"runtime"
	"slices"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/df"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// linked are stores in which images refer to each other: of n links each,
// built so that to look at each image by itself costs the square of n.
var linked = map[string]func(n int) []thing{
	// Each link has a config, a layer and the next link.
	"chain": func(n int) []thing {
		var all []thing
		for i := range n {
			own := fmt.Sprint(" of link ", i)
			all = append(all,
				blob(linkName(i), refContent("config"+own, ".config"), refContent("layer"+own, ".l.0"), refContent(linkName(i+1), ".m.0")),
				blob("config"+own), blob("layer"+own), record(recordName(i), linkName(i)))
		}
		return all
	},
	"ring": func(n int) []thing {
		var all []thing
		for i := range n {
			all = append(all, blob(linkName(i), refContent(linkName((i+1)%n), ".m.0")), record(recordName(i), linkName(i)))
		}
		return all
	},
	// Many images have one chain without names, from its top on.
	"star": func(n int) []thing {
		var all []thing
		for i := range n {
			top := fmt.Sprint("top ", i)
			all = append(all, blob(linkName(i), refContent(linkName(i+1), ".m.0")),
				blob(top, refContent("config of "+top, ".m.0"), refContent(linkName(0), ".m.1")), blob("config of "+top), record(recordName(i), top))
		}
		return all
	},
	// Each storey has two images, both made of both of the next.
	"ladder": func(n int) []thing {
		var all []thing
		for i := range n {
			for _, side := range []string{"left ", "right "} {
				all = append(all, record(recordName(i)+side[:1], side+linkName(i)),
					blob(side+linkName(i), refContent("left "+linkName(i+1), ".m.0"), refContent("right "+linkName(i+1), ".m.1")))
			}
		}
		return all
	},
	// Below one image a chain without names, and below that many images.
	"fan": func(n int) []thing {
		all := []thing{record("x.example/top:1", linkName(0))}
		ground := blob(linkName(n))
		for i := range n {
			all = append(all, blob(linkName(i), refContent(linkName(i+1), ".m.0")), record(recordName(i), fmt.Sprint("leaf ", i)), blob(fmt.Sprint("leaf ", i)))
			refContent(fmt.Sprint("leaf ", i), fmt.Sprint(".m.", i))(&ground)
		}
		return append(all, ground)
	},
	// Many signatures of the ground of a chain of images.
	"signed": func(n int) []thing {
		all := []thing{blob(linkName(n))}
		for i := range n {
			signature := fmt.Sprint("signature ", i)
			all = append(all, blob(linkName(i), refContent(linkName(i+1), ".m.0")), record(recordName(i), linkName(i)),
				blob(signature), record(fmt.Sprintf("sig.example/s%d:sha256-%s.sig", i, dig(linkName(n)).Encoded()), signature))
		}
		return all
	},
	// One image of many names, and as many that are part of it.
	"names": func(n int) []thing {
		top := blob("top")
		all := []thing{}
		for i := range n {
			refContent(linkName(i), fmt.Sprint(".m.", i))(&top)
			all = append(all, record(recordName(i), "top"), blob(linkName(i)), record(fmt.Sprintf("part.example/a:%d", i), linkName(i)))
		}
		return append(all, top)
	},
	// Snapshots on each other, each that of an image.
	"snapshots": func(n int) []thing {
		var all []thing
		for i := range n {
			all = append(all, snapshot(dig(linkName(i)).String(), parentOf(i)), blob(linkName(i), refSnapshot(dig(linkName(i)).String())), record(recordName(i), linkName(i)))
		}
		return all
	},
}

func linkName(i int) string   { return fmt.Sprint("link ", i) }
func recordName(i int) string { return fmt.Sprintf("x.example/a:%05d", i) }

func parentOf(i int) string {
	if i == 0 {
		return ""
	}
	return dig(linkName(i - 1)).String()
}

func linkedInventory(name string, n int) *inventory.Inventory {
	things := linked[name](n)
	used := things[slices.IndexFunc(things, func(t thing) bool { return t.What == graph.KindImage })]
	return world{"default": append(things, container("c", used.Name, ""))}.inventory()
}

var everyImage = rules.Policy{Namespaces: []string{"default"}, Filters: all()}

// questions are what is asked of a store.
var questions = map[string]func(*inventory.Inventory){
	"plan":  func(inv *inventory.Inventory) { must(plan.NewPlan(inv, everyImage, noon)).Going() },
	"usage": func(inv *inventory.Inventory) { usageOf(inv, everyImage, noon, false) },
	"objects": func(inv *inventory.Inventory) {
		usageOf(inv, everyImage, noon, true).Common(func(i int) int { return i })
	},
	"check": func(inv *inventory.Inventory) {
		k := &check.Checker{Inv: inv, C: gc.NewCollector(inv, noon)}
		k.Incomplete(inv.Namespaces[0], manifests.NewLacker(inv.Namespaces[0]))
		k.Unreached()
	},
	"explain": func(inv *inventory.Inventory) {
		must(explainedBy(inv, inv.Namespaces[0].Images[0].Name, everyImage, noon))
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
	notUnderRace(t)
	const n = 500
	for name := range linked {
		few, many := linkedInventory(name, n), linkedInventory(name, 4*n)
		for question, ask := range questions {
			ask(few) // what is made once
			if growth := allocated(func() { ask(many) }) / allocated(func() { ask(few) }); growth > 6 {
				t.Errorf("%s of %s: four times as many links ask for %.1f times the memory", question, name, growth)
			}
		}
	}
}

// What images alone hold is looked at once for all of them.
func TestUsageVisitsObjectsOnce(t *testing.T) {
	notUnderRace(t)
	for name := range linked {
		inv := linkedInventory(name, 1000)
		plan := must(plan.NewPlan(inv, everyImage, noon))
		u := df.NewUsage(inv, plan, plan.Modelled())
		u.Totals = u.Collector.Totals(u.Collector.Sizes(), df.TargetsOf(plan.Chosen))
		u.Images(inv.Namespaces[0], plan.Decisions)
		if most := len(u.All.Blobs) + len(u.All.Snapshots); u.Walk.Visits > most {
			t.Errorf("%s: %d objects are visited %d times", name, most, u.Walk.Visits)
		}
	}
}

func BenchmarkLinked(b *testing.B) {
	for _, question := range []string{"plan", "usage", "objects", "check"} {
		for _, name := range []string{"chain", "star", "ladder", "fan", "signed", "names"} {
			for _, n := range []int{5000, 20_000} {
				b.Run(fmt.Sprintf("%s/%s/%d", question, name, n), func(b *testing.B) {
					inv := linkedInventory(name, n)
					b.ReportAllocs()
					for b.Loop() {
						questions[question](inv)
					}
				})
			}
		}
	}
}
