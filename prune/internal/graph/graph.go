package graph

import "iter"

// Kind is the type of an object in the collector's graph.
type Kind uint8

// The kinds of object that containerd's collector knows.
const (
	KindContent Kind = iota + 1
	KindSnapshot
	KindImage
	KindContainer
	KindSandbox
	KindLease
	KindIngest
)

// Node names one object of the store. Flat marks an object that a flat lease
// holds: it is held itself, but its labels are not followed.
type Node struct {
	Kind      Kind
	Flat      bool
	Namespace string
	// Key is a digest, a "snapshotter/key", a name or an ID.
	Key string
}

// NodeID numbers a node of a graph. What is asked of a graph touches every
// node and edge several times; with numbers it costs no comparing of digests.
type NodeID int32

// Nowhere is the ID of no node.
const Nowhere NodeID = -1

// Graph numbers nodes as they are first met.
type Graph struct {
	Nodes []Node
	ids   index // of the nodes that are not flat
	flats map[NodeID]NodeID
}

// NewGraph makes an empty graph with room for so many nodes.
func NewGraph(size int) *Graph {
	return &Graph{Nodes: make([]Node, 0, size), ids: newIndex(size), flats: make(map[NodeID]NodeID)}
}

// ID returns the number of a node, a new one if it has none.
func (g *Graph) ID(n Node) NodeID {
	flat := n.Flat
	n.Flat = false
	id := g.ids.find(g.Nodes, n)
	if id == Nowhere {
		id = g.add(n)
		g.ids.add(g.Nodes, id)
	}
	if !flat {
		return id
	}
	twin, ok := g.flats[id]
	if !ok {
		n.Flat = true
		twin = g.add(n)
		g.flats[id] = twin
	}
	return twin
}

// Twin returns the number of the flat node of an object, [Nowhere] if it has none.
func (g *Graph) Twin(id NodeID) NodeID {
	if twin, ok := g.flats[id]; ok {
		return twin
	}
	return Nowhere
}

func (g *Graph) add(n Node) NodeID {
	g.Nodes = append(g.Nodes, n)
	return NodeID(len(g.Nodes) - 1)
}

// Lookup returns the number of a node that has one.
func (g *Graph) Lookup(n Node) NodeID {
	flat := n.Flat
	n.Flat = false
	id := g.ids.find(g.Nodes, n)
	if id == Nowhere || !flat {
		return id
	}
	if twin, ok := g.flats[id]; ok {
		return twin
	}
	return Nowhere
}

// Reached is what a mark came to: for every node the one it came from, with
// roots coming from themselves.
type Reached struct {
	Graph *Graph
	From  []NodeID // nowhere if the mark did not come to the node
	Top   []NodeID // the root of each; following from would cost a long chain's length for each link
	Order []NodeID // those that it came to, in that order
}

// Mark returns all nodes that can be reached from the roots. Each node is
// visited once, whatever cycles there are, so the cost is the number of nodes
// and edges. What several roots reach is reached from the first of them.
func (g *Graph) Mark(roots []Node, next func(NodeID) []NodeID) Reached {
	r := g.NewReached()
	r.Extend(roots, next)
	return r
}

// NewReached is what is reached from no root, to be extended.
func (g *Graph) NewReached() Reached {
	r := Reached{Graph: g, From: make([]NodeID, len(g.Nodes)), Top: make([]NodeID, len(g.Nodes))}
	for i := range r.From {
		r.From[i] = Nowhere
	}
	return r
}

// Extend marks what further roots reach and was not reached before.
func (r *Reached) Extend(roots []Node, next func(NodeID) []NodeID) {
	var gray []NodeID
	come := func(to, from NodeID) {
		if r.From[to] == Nowhere {
			r.From[to] = from
			if r.Top[to] = to; to != from {
				r.Top[to] = r.Top[from]
			}
			r.Order = append(r.Order, to)
			gray = append(gray, to)
		}
	}
	starts := make([]NodeID, 0, len(roots))
	for _, root := range roots {
		if id := r.Graph.Lookup(root); id != Nowhere && r.From[id] == Nowhere {
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

// All yields every node that was reached.
func (r Reached) All() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for _, id := range r.Order {
			if !yield(r.Graph.Nodes[id]) {
				return
			}
		}
	}
}

// Has says whether the very node was reached.
func (r Reached) Has(n Node) bool {
	return r.Graph != nil && r.came(r.Graph.Lookup(n))
}

func (r Reached) came(id NodeID) bool {
	return id >= 0 && int(id) < len(r.From) && r.From[id] != Nowhere
}

// Holds says whether the object of n was reached, flat or not.
func (r Reached) Holds(n Node) bool {
	_, ok := r.Find(n)
	return ok
}

// Root returns the root from which the object of n was reached.
func (r Reached) Root(n Node) (Node, bool) {
	id, ok := r.Find(n)
	if !ok {
		return Node{}, false
	}
	return r.Graph.Nodes[r.Top[id]], true
}

// Find returns the number under which the object of n was reached, be it as a flat
// node or not.
func (r Reached) Find(n Node) (NodeID, bool) {
	if r.Graph == nil {
		return Nowhere, false
	}
	n.Flat = false
	id := r.Graph.Lookup(n)
	if id == Nowhere {
		return Nowhere, false
	}
	return r.either(id)
}

// either returns the node or its flat twin, whichever was reached.
func (r Reached) either(id NodeID) (NodeID, bool) {
	if r.came(id) {
		return id, true
	}
	twin, ok := r.Graph.flats[id]
	return twin, ok && r.came(twin)
}
