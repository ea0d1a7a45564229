package prune

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

// reached maps every node that a mark came to, to the node it came from;
// roots map to themselves.
type reached map[node]node

// mark returns all nodes that can be reached from the roots over edges. Each
// node is visited once, whatever cycles there are, so the cost is the number
// of nodes and edges. What several roots reach is reached from the first of
// them. edges calls visit for each successor of a node; it must give the same
// answer each time.
func mark(roots []node, edges func(n node, visit func(node))) reached {
	seen := make(reached, 2*len(roots))
	for _, root := range roots {
		seen[root] = root
	}
	var gray []node
	for _, root := range roots {
		for gray = append(gray, root); len(gray) > 0; {
			from := gray[len(gray)-1]
			gray = gray[:len(gray)-1]
			edges(from, func(to node) {
				if _, ok := seen[to]; !ok {
					seen[to] = from
					gray = append(gray, to)
				}
			})
		}
	}
	return seen
}

// holds says whether the object of n was reached, flat or not.
func (r reached) holds(n node) bool {
	_, ok := r.find(n)
	return ok
}

// root returns the root from which the object of n was reached.
func (r reached) root(n node) (node, bool) {
	n, ok := r.find(n)
	if !ok {
		return node{}, false
	}
	for r[n] != n {
		n = r[n]
	}
	return n, true
}

func (r reached) find(n node) (node, bool) {
	for _, flat := range [...]bool{false, true} {
		n.flat = flat
		if _, ok := r[n]; ok {
			return n, true
		}
	}
	return node{}, false
}
