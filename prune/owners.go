package prune

// owner is who alone holds an object: an index into the owners that were
// given, or one of the two below.
type owner int32

const (
	nobody  owner = -1 // no owner reaches the object
	several owner = -2 // more than one does
)

// ownership tells of each node which of several owners, each a set of roots,
// alone reaches it.
type ownership map[node]owner

// own computes the ownership. Every node changes hands at most twice, from
// nobody to one and from one to several, so the cost is that of two marks,
// however much the owners share.
func own(owners [][]node, edges func(n node, visit func(node))) ownership {
	held := make(ownership)
	type claim struct {
		n  node
		by owner
	}
	var gray []claim
	take := func(n node, by owner) {
		current, known := held[n]
		switch {
		case !known:
			held[n] = by
		case current == by || current == several:
			return
		default:
			by = several
			held[n] = several
		}
		gray = append(gray, claim{n, by})
	}
	for i, roots := range owners {
		for _, root := range roots {
			take(root, owner(i))
		}
		for len(gray) > 0 {
			c := gray[len(gray)-1]
			gray = gray[:len(gray)-1]
			if held[c.n] != c.by {
				continue // it has gone to several since
			}
			edges(c.n, func(to node) { take(to, c.by) })
		}
	}
	return held
}

// of returns the owner of an object, flat or not.
func (o ownership) of(n node) owner {
	n.flat = false
	full, isFull := o[n]
	n.flat = true
	flat, isFlat := o[n]
	switch {
	case isFull && isFlat && full != flat:
		return several
	case isFull:
		return full
	case isFlat:
		return flat
	default:
		return nobody
	}
}
