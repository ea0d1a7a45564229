package gc

import (
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// HeldAlone sums up what each lease alone holds, or of one that has expired what
// goes because of that.
func (c *Collector) HeldAlone() map[graph.Node]inventory.Amount {
	names := c.AllLeases()
	var groups [][]graph.Node
	for _, lease := range names {
		groups = append(groups, []graph.Node{lease})
	}
	sums := make(map[graph.Node]inventory.Amount, len(names))
	for i, sum := range c.Alone(groups) {
		if sum != (inventory.Amount{}) {
			sums[names[i]] = sum
		}
	}
	return sums
}

// AllLeases lists the leases, also those that have expired.
func (c *Collector) AllLeases() []graph.Node {
	var all []graph.Node
	for _, s := range c.Order {
		for _, lease := range s.Leases {
			all = append(all, graph.Node{Kind: graph.KindLease, Namespace: s.Name, Key: lease.ID})
		}
	}
	return all
}

// Alone sums up what each of several groups of roots alone holds: what a
// collection would free without the group. Roots of no group hold as well.
func (c *Collector) Alone(groups [][]graph.Node) []inventory.Amount {
	grouped := make(map[graph.Node]bool)
	for _, group := range groups {
		for _, root := range group {
			grouped[root] = true
		}
	}
	others := slices.DeleteFunc(c.Roots(Change{}), func(root graph.Node) bool { return grouped[root] })
	owned := c.Graph.Own(append([][]graph.Node{others}, groups...), c.Next.Of)
	sums := make([]inventory.Amount, len(groups))
	all := c.Inv.Objects()
	for dgst, bytes := range all.Blobs {
		if by := c.BlobOwner(owned, dgst); by > 0 {
			sums[by-1].AddBlob(bytes)
		}
	}
	for id, bytes := range all.Snapshots {
		if by := owned.Of(id.Node()); by > 0 {
			sums[by-1].AddSnapshot(bytes)
		}
	}
	return sums
}

// BlobOwner combines the namespaces that know a blob, because its file is one, and
// the uploads that take it from there.
func (c *Collector) BlobOwner(owned graph.Ownership, dgst digest.Digest) graph.Owner {
	combined := graph.Nobody
	for _, s := range c.Homes(dgst) {
		combined = combined.And(owned.Of(graph.Node{Kind: graph.KindContent, Namespace: s.Name, Key: dgst.String()}))
	}
	for _, upload := range c.Awaited[dgst] {
		combined = combined.And(owned.Of(upload))
	}
	return combined
}
