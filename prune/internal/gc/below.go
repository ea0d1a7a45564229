package gc

import (
	"slices"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// SnapshotsBelow lists the snapshots that nodes reach, as far as they exist.
func (c *Collector) SnapshotsBelow(from []graph.Node) []inventory.SnapshotID {
	var found []inventory.SnapshotID
	for m := range c.Mark(from, Change{}).All() {
		if id := inventory.SnapshotOf(m); m.Kind == graph.KindSnapshot && c.Exists(id) {
			found = append(found, id)
		}
	}
	slices.SortFunc(found, inventory.CompareSnapshotIDs)
	return slices.Compact(found)
}

// SnapshotsOfLeases lists the snapshots that leases hold, and those that nothing
// does: what a collection of expired leases may take.
func (c *Collector) SnapshotsOfLeases() []inventory.SnapshotID {
	found := c.SnapshotsBelow(c.AllLeases())
	held := c.Reach(Change{})
	for _, s := range c.Order {
		for key := range s.Snapshots {
			if id := (inventory.SnapshotID{Namespace: s.Name, SnapshotKey: key}); !held.Holds(id.Node()) {
				found = append(found, id)
			}
		}
	}
	slices.SortFunc(found, inventory.CompareSnapshotIDs)
	return slices.Compact(found)
}
