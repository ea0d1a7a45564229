package prune

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// wideWorlds are stores with many of one sort of thing, of n each, which are not
// images that refer to each other.
var wideWorlds = map[string]func(n int) world{
	"namespaces": func(n int) world {
		w := world{}
		for i := range n {
			manifest := fmt.Sprint("manifest ", i)
			w[fmt.Sprintf("space%05d", i)] = append(unpacked(manifest, "top", ""), record("x:1", manifest), record("x:2", manifest))
		}
		return w
	},
	// Containers on the top of one long chain of snapshots without an image.
	"depth": func(n int) world {
		var all []thing
		for i := range n {
			all = append(all, snapshot(dig(linkName(i)).String(), parentOf(i)), container(fmt.Sprint("c", i), "", dig(linkName(n-1)).String()))
		}
		return world{"default": all}
	},
	// Containers on the snapshot of a config that as many images share.
	"users": func(n int) world {
		all := []thing{blob("config", refSnapshot("top")), snapshot("top", "")}
		for i := range n {
			all = append(all, blob(linkName(i), refContent("config", ".config")), record(recordName(i), linkName(i)),
				active(fmt.Sprint("rw", i), "top"), container(fmt.Sprint("c", i), "", fmt.Sprint("rw", i)))
		}
		return world{"default": all}
	},
	// One blob with many conditions on a snapshot that was used many times.
	"conditions": func(n int) world {
		used, cond := snapshot("used", ""), blob("a")
		for i := range n {
			usedAt(noon.Add(-time.Hour), fmt.Sprint(".", i))(&used)
			whileUsed("usedat<10m", "used", fmt.Sprint("/", i))(&cond)
		}
		return world{"default": {used, cond, record("x:1", "a")}}
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
	notUnderRace(t)
	const n, most = 800, 40
	policy := rules.Policy{AllNamespaces: true, Filters: all()}
	for name, worldOf := range wideWorlds {
		few, many := worldOf(n).inventory(), worldOf(8*n).inventory()
		for question, ask := range map[string]func(*inventory.Inventory){
			"plan":  func(inv *inventory.Inventory) { must(plan.NewPlan(inv, policy, noon)) },
			"usage": func(inv *inventory.Inventory) { usageOf(inv, policy, noon, true) },
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
