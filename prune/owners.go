package prune

// owner is who alone holds an object: an index into the owners that were
// given, or one of the two below.
type owner int32

const (
	nobody  owner = -1 // no owner reaches the object
	several owner = -2 // more than one does
)

// and is who alone holds what o and another hold together.
func (o owner) and(other owner) owner {
	switch {
	case o == nobody:
		return other
	case other == nobody || other == o:
		return o
	default:
		return several
	}
}

// ownership tells of each node which of several owners, each a set of roots,
// alone reaches it.
type ownership struct {
	graph *graph
	held  []owner
}

// own computes the ownership. Every node changes hands at most twice, from
// nobody to one and from one to several, so the cost is that of two marks,
// however much the owners share.
func (g *graph) own(owners [][]node, next func(nodeID) []nodeID) ownership {
	o := ownership{graph: g, held: make([]owner, len(g.nodes))}
	for i := range o.held {
		o.held[i] = nobody
	}
	type claim struct {
		id nodeID
		by owner
	}
	var gray []claim
	take := func(id nodeID, by owner) {
		switch current := o.held[id]; {
		case current == nobody:
			o.held[id] = by
		case current == by || current == several:
			return
		default:
			by = several
			o.held[id] = several
		}
		gray = append(gray, claim{id, by})
	}
	for i, roots := range owners {
		for _, root := range roots {
			if id := g.lookup(root); id != nowhere {
				take(id, owner(i))
			}
		}
		for len(gray) > 0 {
			c := gray[len(gray)-1]
			gray = gray[:len(gray)-1]
			if o.held[c.id] != c.by {
				continue // it has gone to several since
			}
			for _, to := range next(c.id) {
				take(to, c.by)
			}
		}
	}
	return o
}

// of returns the owner of an object, flat or not.
func (o ownership) of(n node) owner {
	n.flat = false
	id, ok := o.graph.ids[n]
	if !ok {
		return nobody
	}
	return o.ofID(id)
}

// ofID returns the owner of the object of a node that is not flat.
func (o ownership) ofID(id nodeID) owner {
	full, flat := o.held[id], nobody
	if twin, ok := o.graph.flats[id]; ok {
		flat = o.held[twin]
	}
	return full.and(flat)
}
