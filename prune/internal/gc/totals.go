package gc

import (
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// What many nodes reach is summed up by a walk from each. In a chain of images
// of which each has a name that is the square of its length, so there is a
// limit that grows with the store: about as many edges from each node as most
// images have, and more from all together than ordinary stores need. What is
// not followed then is told as a lower bound.
const (
	edgesEach    = 1 << 6
	edgesPool    = 1 << 21
	edgesPerNode = 1 << 5
)

// Total is what a node reaches or, if it is only a bound, a part of that.
type Total struct {
	inventory.Amount
	Bound bool
}

// Totals sums up what each of the nodes reaches, itself included.
func (c *Collector) Totals(weigh weights, nodes []graph.Node) map[graph.Node]Total {
	return SumBelow(c.Walk(), weigh, nodes)
}

// SumBelow is the same on a walk that the caller has.
func SumBelow(w *graph.Walk, weigh weights, nodes []graph.Node) map[graph.Node]Total {
	Bound(w)
	totals := make(map[graph.Node]Total, len(nodes))
	for _, n := range nodes {
		if _, known := totals[n]; known {
			continue
		}
		var sum Total
		sum.Bound = !w.Within(n, func(graph.NodeID) bool { return true }, func(id graph.NodeID) { weigh(id, &sum.Amount) })
		totals[n] = sum
	}
	return totals
}

// Bound limits a walk that has no limit yet.
func Bound(w *graph.Walk) {
	if w.Allowance == nil {
		w.Allowance = &graph.Allowance{Each: edgesEach, Pool: max(edgesPool, edgesPerNode*len(w.Graph.Nodes))}
	}
}

// weights adds what a node weighs to a sum.
type weights func(graph.NodeID, *inventory.Amount)

// Sizes weighs what the store holds.
func (c *Collector) Sizes() weights { return c.sizes(c.Inv.Size) }

// Measured is [Collector.Sizes] where not every snapshot was measured: one that was not
// makes a lower bound.
func (c *Collector) Measured() weights {
	return c.sizes(func(id inventory.SnapshotID) int64 {
		if bytes, measured := c.Inv.Sizes[id]; measured {
			return bytes
		}
		return inventory.Unmeasured
	})
}

func (c *Collector) sizes(ofSnapshot func(inventory.SnapshotID) int64) weights {
	return c.Weights(func(n graph.Node) (bytes int64, known bool) {
		s := c.Spaces[n.Namespace]
		if s == nil {
			return 0, false
		}
		if n.Kind == graph.KindContent {
			blob, known := s.Blobs[digest.Digest(n.Key)]
			return blob.Size, known
		}
		id := inventory.SnapshotOf(n)
		return ofSnapshot(id), c.Exists(id)
	})
}

// Weights looks up the size of each blob and snapshot, once.
func (c *Collector) Weights(size func(graph.Node) (bytes int64, known bool)) weights {
	type weight struct {
		bytes int64
		kind  graph.Kind // 0 if it is not weighed
	}
	all := make([]weight, len(c.Graph.Nodes))
	for id, n := range c.Graph.Nodes {
		if n.Kind != graph.KindContent && n.Kind != graph.KindSnapshot {
			continue
		}
		if bytes, known := size(n); known {
			all[id] = weight{bytes, n.Kind}
		}
	}
	return func(id graph.NodeID, sum *inventory.Amount) {
		switch w := all[id]; w.kind {
		case graph.KindContent:
			sum.AddBlob(w.bytes)
		case graph.KindSnapshot:
			sum.AddSnapshot(w.bytes)
		}
	}
}
