package prune

// walk visits what single nodes reach, one after the other, with the memory
// of one visit: a mark for each of thousands would clear its own each time.
type walk struct {
	graph *graph
	next  func(nodeID) []nodeID
	// allowance is how many edges are followed, nil if all are.
	allowance *allowance
	// seen is the round in which each node was last visited.
	seen  []uint32
	round uint32
	gray  []nodeID
	// visits counts the nodes that were visited in all rounds.
	visits int
}

// allowance is how many edges may be followed: from each node that a visit
// starts from so many, and beyond that so many from all of them together.
type allowance struct{ each, pool int }

func newWalk(g *graph, next func(nodeID) []nodeID) *walk {
	return &walk{graph: g, next: next, seen: make([]uint32, len(g.nodes))}
}

// below visits every node that n reaches, n first, each once, and says whether
// these are all.
func (w *walk) below(n node, visit func(nodeID, node)) bool {
	return w.within(n, func(nodeID) bool { return true }, func(id nodeID) { visit(id, w.graph.nodes[id]) })
}

// within visits every node that n reaches through nodes that may be entered.
func (w *walk) within(n node, enter func(nodeID) bool, visit func(nodeID)) (all bool) {
	start := w.graph.lookup(n)
	if start == nowhere || !enter(start) {
		return true
	}
	followed := 0
	w.round++
	w.seen[start] = w.round
	for w.gray = append(w.gray[:0], start); len(w.gray) > 0; {
		id := w.gray[len(w.gray)-1]
		w.gray = w.gray[:len(w.gray)-1]
		w.visits++
		visit(id)
		for _, to := range w.next(id) {
			if followed++; !w.allowance.allows(followed) {
				return false
			}
			if w.seen[to] != w.round && enter(to) {
				w.seen[to] = w.round
				w.gray = append(w.gray, to)
			}
		}
	}
	return true
}

// allows says whether one visit may follow so many edges.
func (a *allowance) allows(followed int) bool {
	if a == nil || followed <= a.each {
		return true
	}
	a.pool--
	return a.pool >= 0
}
