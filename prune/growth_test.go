package prune_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// wideWorlds are stores with many of one sort of thing, of n each, which are not
// images that refer to each other.
var wideWorlds = map[string]func(n int) tw.World{
	"namespaces": func(n int) tw.World {
		w := tw.World{}
		for i := range n {
			manifest := fmt.Sprint("manifest ", i)
			w[fmt.Sprintf("space%05d", i)] = append(tw.Unpacked(manifest, "top", ""), tw.Record("x:1", manifest), tw.Record("x:2", manifest))
		}
		return w
	},
	// Containers on the top of one long chain of snapshots without an image.
	"depth": func(n int) tw.World {
		var all []tw.Thing
		for i := range n {
			all = append(all, tw.Snapshot(tw.Digest(tw.LinkName(i)).String(), tw.ParentOf(i)), tw.Container(fmt.Sprint("c", i), "", tw.Digest(tw.LinkName(n-1)).String()))
		}
		return tw.World{"default": all}
	},
	// Containers on the snapshot of a config that as many images share.
	"users": func(n int) tw.World {
		all := []tw.Thing{tw.Blob("config", tw.RefSnapshot("top")), tw.Snapshot("top", "")}
		for i := range n {
			all = append(all, tw.Blob(tw.LinkName(i), tw.RefContent("config", ".config")), tw.Record(tw.RecordName(i), tw.LinkName(i)),
				tw.Active(fmt.Sprint("rw", i), "top"), tw.Container(fmt.Sprint("c", i), "", fmt.Sprint("rw", i)))
		}
		return tw.World{"default": all}
	},
	// One blob with many conditions on a snapshot that was used many times.
	"conditions": func(n int) tw.World {
		used, cond := tw.Snapshot("used", ""), tw.Blob("a")
		for i := range n {
			tw.UsedAt(tw.Noon.Add(-time.Hour), fmt.Sprint(".", i))(&used)
			tw.WhileUsed("usedat<10m", "used", fmt.Sprint("/", i))(&cond)
		}
		return tw.World{"default": {used, cond, tw.Record("x:1", "a")}}
	},
}

// worked is how long this thread was at work for a function: others, the
// garbage collector and the machine's other users do not count.
func worked(do func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	now := func() time.Duration {
		var usage unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_THREAD, &usage); err != nil {
			panic(err)
		}
		return time.Duration(usage.Utime.Nano())
	}
	start := now()
	do()
	return now() - start
}

// Eight times as much of anything takes about eight times as long, and no
// square of that.
func TestManyOfAnythingCostNoSquare(t *testing.T) {
	tw.NotUnderRace(t)
	const n, most = 800, 40
	policy := rules.Policy{AllNamespaces: true, Filters: tw.All()}
	for name, worldOf := range wideWorlds {
		few, many := worldOf(n).Inventory(), worldOf(8*n).Inventory()
		for question, ask := range map[string]func(*inventory.Inventory){
			"plan":  func(inv *inventory.Inventory) { tw.Must(plan.NewPlan(inv, policy, tw.Noon)) },
			"usage": func(inv *inventory.Inventory) { tw.UsageOf(inv, policy, tw.Noon, true) },
		} {
			least := worked(func() { ask(few) })
			for range 4 {
				least = min(least, worked(func() { ask(few) }))
			}
			if long := worked(func() { ask(many) }); long > most*max(least, 4*time.Millisecond) {
				t.Errorf("%s of %s: eight times as much takes %v instead of %v", question, name, long, least)
			}
		}
	}
}
