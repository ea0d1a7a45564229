package prune

import "github.com/opencontainers/go-digest"

// totals sums up what each of the nodes reaches, itself included.
func (c *collector) totals(weigh func(nodeID) mass, nodes []node) map[node]total {
	return c.totalsOf(newTally(c.graph, c.next.of, weigh), nodes)
}

func (c *collector) totalsOf(t *tally, nodes []node) map[node]total {
	ids := make([]nodeID, 0, len(nodes))
	for _, n := range nodes {
		if id := c.graph.lookup(n); id != nowhere {
			ids = append(ids, id)
		}
	}
	byID := t.of(ids)
	totals := make(map[node]total, len(nodes))
	for _, id := range ids {
		totals[c.graph.nodes[id]] = byID[id]
	}
	return totals
}

// sizes weighs what the store holds.
func (c *collector) sizes() func(nodeID) mass {
	return c.weights(func(n node) (bytes int64, known bool) {
		s := c.spaces[n.ns]
		if s == nil {
			return 0, false
		}
		if n.kind == kindContent {
			blob, known := s.Blobs[digest.Digest(n.key)]
			return blob.Size, known
		}
		snapshot, known := s.Snapshots[parseSnapshotKey(n.key)]
		return snapshot.Bytes, known
	})
}

// nothing is the size of what is not weighed.
const nothing = -1

// weights looks up the size of each blob and snapshot, once.
func (c *collector) weights(size func(node) (bytes int64, known bool)) func(nodeID) mass {
	sizes := make([]int64, len(c.graph.nodes))
	for id, n := range c.graph.nodes {
		sizes[id] = nothing
		if n.kind != kindContent && n.kind != kindSnapshot {
			continue
		}
		if bytes, known := size(n); known {
			sizes[id] = max(bytes, 0)
		}
	}
	return func(id nodeID) mass {
		switch {
		case sizes[id] == nothing:
			return mass{}
		case c.graph.nodes[id].kind == kindContent:
			return blobMass(sizes[id])
		default:
			return snapshotMass(sizes[id])
		}
	}
}
