package graph

// Owner is who alone holds an object: an index into the owners that were
// given, or one of the two below.
type Owner int32

// Who holds an object that no single owner holds.
const (
	Nobody  Owner = -1 // no owner reaches the object
	Several Owner = -2 // more than one does
)

// And is who alone holds what o and another hold together.
func (o Owner) And(other Owner) Owner {
	switch {
	case o == Nobody:
		return other
	case other == Nobody || other == o:
		return o
	default:
		return Several
	}
}

// Ownership tells of each node which of several owners, each a set of roots,
// alone reaches it.
type Ownership struct {
	graph *Graph
	held  []Owner
}

// Own computes the ownership. Every node changes hands at most twice, from
// nobody to one and from one to several, so the cost is that of two marks,
// however much the owners share.
func (g *Graph) Own(owners [][]Node, next func(NodeID) []NodeID) Ownership {
	o := Ownership{graph: g, held: make([]Owner, len(g.Nodes))}
	for i := range o.held {
		o.held[i] = Nobody
	}
	type claim struct {
		id NodeID
		by Owner
	}
	var gray []claim
	take := func(id NodeID, by Owner) {
		switch current := o.held[id]; {
		case current == Nobody:
			o.held[id] = by
		case current == by || current == Several:
			return
		default:
			by = Several
			o.held[id] = Several
		}
		gray = append(gray, claim{id, by})
	}
	for i, roots := range owners {
		for _, root := range roots {
			if id := g.Lookup(root); id != Nowhere {
				take(id, Owner(i))
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

// Of returns the owner of an object, flat or not.
func (o Ownership) Of(n Node) Owner {
	n.Flat = false
	id := o.graph.Lookup(n)
	if id == Nowhere {
		return Nobody
	}
	return o.OfID(id)
}

// OfID returns the owner of the object of a node that is not flat.
func (o Ownership) OfID(id NodeID) Owner {
	full, flat := o.held[id], Nobody
	if twin, ok := o.graph.flats[id]; ok {
		flat = o.held[twin]
	}
	return full.And(flat)
}
