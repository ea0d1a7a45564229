package inventory

import (
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
)

// Grace is a lease by which a run keeps what it removed.
type Grace struct {
	Run   string
	Lease graph.Node
}

// Graces lists the leases of graces, namespace by namespace.
func (inv *Inventory) Graces() (all []Grace) {
	for _, ns := range inv.Namespaces {
		for _, lease := range ns.Leases {
			if run, ok := leases.GraceOf(lease.Lease); ok {
				all = append(all, Grace{run, graph.Node{Kind: graph.KindLease, Namespace: ns.Name, Key: lease.ID}})
			}
		}
	}
	return all
}
