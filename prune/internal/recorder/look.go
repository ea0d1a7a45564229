package recorder

import (
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lastuse"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// LookOf says which images an inventory has, and who uses them.
func LookOf(inv *inventory.Inventory, at time.Time) lastuse.Look {
	return lookOf(inv, viewsOf(inv), at)
}

// viewsOf finds out for each namespace what its uses mean.
func viewsOf(inv *inventory.Inventory) map[string]rules.View {
	views := make(map[string]rules.View, len(inv.Namespaces))
	for _, ns := range inv.Namespaces {
		views[ns.Name] = rules.NewView(ns, inv.Store)
	}
	return views
}

func lookOf(inv *inventory.Inventory, views map[string]rules.View, at time.Time) lastuse.Look {
	look := lastuse.Look{At: at, Images: make(map[lastuse.Key]string), Unread: make(map[string]bool)}
	for _, ns := range inv.Namespaces {
		if ns.Unread != "" {
			look.Unread[ns.Name] = true
		}
		used := views[ns.Name].InUse()
		for i := range ns.Images {
			target := ns.Images[i].Target.Digest
			look.Images[lastuse.Key{Namespace: ns.Name, Target: target}] = used[target]
		}
	}
	return look
}
