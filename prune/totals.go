package prune

import "github.com/opencontainers/go-digest"

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

// total is what a node reaches or, if it is only a bound, a part of that.
type total struct {
	Amount
	bound bool
}

// totals sums up what each of the nodes reaches, itself included.
func (c *collector) totals(weigh weights, nodes []node) map[node]total {
	return c.walk().totals(weigh, nodes)
}

func (w *walk) totals(weigh weights, nodes []node) map[node]total {
	if w.allowance == nil {
		w.allowance = &allowance{edgesEach, max(edgesPool, edgesPerNode*len(w.graph.nodes))}
	}
	totals := make(map[node]total, len(nodes))
	for _, n := range nodes {
		if _, known := totals[n]; known {
			continue
		}
		var sum total
		sum.bound = !w.within(n, func(nodeID) bool { return true }, func(id nodeID) { weigh(id, &sum.Amount) })
		totals[n] = sum
	}
	return totals
}

// weights adds what a node weighs to a sum.
type weights func(nodeID, *Amount)

// sizes weighs what the store holds.
func (c *collector) sizes() weights {
	return c.weights(func(n node) (bytes int64, known bool) {
		s := c.spaces[n.ns]
		if s == nil {
			return 0, false
		}
		if n.kind == kindContent {
			blob, known := s.Blobs[digest.Digest(n.key)]
			return blob.Size, known
		}
		id := n.snapshot()
		return c.inv.size(id), c.exists(id)
	})
}

// weights looks up the size of each blob and snapshot, once.
func (c *collector) weights(size func(node) (bytes int64, known bool)) weights {
	type weight struct {
		bytes int64
		kind  kind // 0 if it is not weighed
	}
	all := make([]weight, len(c.graph.nodes))
	for id, n := range c.graph.nodes {
		if n.kind != kindContent && n.kind != kindSnapshot {
			continue
		}
		if bytes, known := size(n); known {
			all[id] = weight{bytes, n.kind}
		}
	}
	return func(id nodeID, sum *Amount) {
		switch w := all[id]; w.kind {
		case kindContent:
			sum.addBlob(w.bytes)
		case kindSnapshot:
			sum.addSnapshot(w.bytes)
		}
	}
}
