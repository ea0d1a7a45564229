package prune_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/leases"

	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
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

// Eight times as much of anything takes about eight times as many steps, and no
// square of that.
func TestManyOfAnythingCostNoSquare(t *testing.T) {
	tw.NotUnderRace(t)
	policy := rules.Policy{AllNamespaces: true, Filters: tw.All()}
	tw.Linear(t, 400, func(n int) {
		for _, worldOf := range wideWorlds {
			inv := worldOf(n).Inventory()
			tw.Must(plan.NewPlan(inv, policy, tw.Noon))
			tw.UsageOf(inv, policy, tw.Noon, true)
		}
		planBy(bulkInventory(2*n), manyRules(n))
		pods := podsWithVolumes(n)
		if clients.AddVolumes(pods); len(pods.Uses) != n {
			t.Fatalf("%d uses", len(pods.Uses))
		}
	})
}

// podsWithVolumes are as many pods, each with a sandbox and an image volume.
func podsWithVolumes(n int) *inventory.Namespace {
	ns := &inventory.Namespace{Name: store.CRINamespace}
	for i := range n {
		id := fmt.Sprintf("%064x", i)
		volume := leases.Resource{Type: "snapshots/overlayfs", ID: "/run/image-volumes/" + id + "/" + tw.Digest(id).Encoded()}
		ns.Containers = append(ns.Containers, containers.Container{ID: id})
		ns.Leases = append(ns.Leases, inventory.Lease{Lease: leases.Lease{ID: id}, Resources: []leases.Resource{volume}})
	}
	return ns
}
