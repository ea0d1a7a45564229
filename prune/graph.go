package prune

import "iter"

// kind is the type of an object in the collector's graph.
type kind uint8

const (
	kindContent kind = iota + 1
	kindSnapshot
	kindImage
	kindContainer
	kindSandbox
	kindLease
	kindIngest
)

// node names one object of the store. Flat marks an object that a flat lease
// holds: it is held itself, but its labels are not followed.
type node struct {
	kind kind
	flat bool
	ns   string
	// key is a digest, a "snapshotter/key", a name or an ID.
	key string
}

// nodeID numbers a node of a graph. What is asked of a graph touches every
// node and edge several times; with numbers it costs no comparing of digests.
type nodeID int32

// nowhere is the ID of no node.
const nowhere nodeID = -1

// graph numbers nodes as they are first met.
type graph struct {
	nodes []node
	ids   map[node]nodeID // of the nodes that are not flat
	flats map[nodeID]nodeID
}

func newGraph(size int) *graph {
	return &graph{nodes: make([]node, 0, size), ids: make(map[node]nodeID, size), flats: make(map[nodeID]nodeID)}
}

// id returns the number of a node, a new one if it has none.
func (g *graph) id(n node) nodeID {
	flat := n.flat
	n.flat = false
	id, ok := g.ids[n]
	if !ok {
		id = g.add(n)
		g.ids[n] = id
	}
	if !flat {
		return id
	}
	twin, ok := g.flats[id]
	if !ok {
		n.flat = true
		twin = g.add(n)
		g.flats[id] = twin
	}
	return twin
}

func (g *graph) add(n node) nodeID {
	g.nodes = append(g.nodes, n)
	return nodeID(len(g.nodes) - 1)
}

// lookup returns the number of a node that has one.
func (g *graph) lookup(n node) nodeID {
	flat := n.flat
	n.flat = false
	id, ok := g.ids[n]
	if ok && flat {
		id, ok = g.flats[id]
	}
	if !ok {
		return nowhere
	}
	return id
}

// reached is what a mark came to: for every node the one it came from, with
// roots coming from themselves.
type reached struct {
	graph *graph
	from  []nodeID // nowhere if the mark did not come to the node
	top   []nodeID // the root of each; following from would cost a long chain's length for each link
	order []nodeID // those that it came to, in that order
}

// mark returns all nodes that can be reached from the roots. Each node is
// visited once, whatever cycles there are, so the cost is the number of nodes
// and edges. What several roots reach is reached from the first of them.
func (g *graph) mark(roots []node, next func(nodeID) []nodeID) reached {
	r := g.newReached()
	r.extend(roots, next)
	return r
}

func (g *graph) newReached() reached {
	r := reached{graph: g, from: make([]nodeID, len(g.nodes)), top: make([]nodeID, len(g.nodes))}
	for i := range r.from {
		r.from[i] = nowhere
	}
	return r
}

// extend marks what further roots reach and was not reached before.
func (r *reached) extend(roots []node, next func(nodeID) []nodeID) {
	var gray []nodeID
	come := func(to, from nodeID) {
		if r.from[to] == nowhere {
			r.from[to] = from
			if r.top[to] = to; to != from {
				r.top[to] = r.top[from]
			}
			r.order = append(r.order, to)
			gray = append(gray, to)
		}
	}
	starts := make([]nodeID, 0, len(roots))
	for _, root := range roots {
		if id := r.graph.lookup(root); id != nowhere && r.from[id] == nowhere {
			starts = append(starts, id)
			come(id, id)
		}
	}
	gray = gray[:0]
	for _, root := range starts {
		for gray = append(gray, root); len(gray) > 0; {
			from := gray[len(gray)-1]
			gray = gray[:len(gray)-1]
			for _, to := range next(from) {
				come(to, from)
			}
		}
	}
}

// all yields every node that was reached.
func (r reached) all() iter.Seq[node] {
	return func(yield func(node) bool) {
		for _, id := range r.order {
			if !yield(r.graph.nodes[id]) {
				return
			}
		}
	}
}

// has says whether the very node was reached.
func (r reached) has(n node) bool {
	return r.graph != nil && r.came(r.graph.lookup(n))
}

func (r reached) came(id nodeID) bool {
	return id >= 0 && int(id) < len(r.from) && r.from[id] != nowhere
}

// holds says whether the object of n was reached, flat or not.
func (r reached) holds(n node) bool {
	_, ok := r.find(n)
	return ok
}

// root returns the root from which the object of n was reached.
func (r reached) root(n node) (node, bool) {
	id, ok := r.find(n)
	if !ok {
		return node{}, false
	}
	return r.graph.nodes[r.top[id]], true
}

func (r reached) find(n node) (nodeID, bool) {
	if r.graph == nil {
		return nowhere, false
	}
	n.flat = false
	id, ok := r.graph.ids[n]
	if !ok {
		return nowhere, false
	}
	return r.either(id)
}

// either returns the node or its flat twin, whichever was reached.
func (r reached) either(id nodeID) (nodeID, bool) {
	if r.came(id) {
		return id, true
	}
	twin, ok := r.graph.flats[id]
	return twin, ok && r.came(twin)
}
