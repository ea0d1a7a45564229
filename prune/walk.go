package prune

// walk visits what single nodes reach, one after the other, with the memory
// of one visit: a mark for each of thousands would clear its own each time.
type walk struct {
	graph *graph
	next  func(nodeID) []nodeID
	// seen is the round in which each node was last visited.
	seen  []uint32
	round uint32
	gray  []nodeID
	// visits counts the nodes that were visited in all rounds.
	visits int
}

func newWalk(g *graph, next func(nodeID) []nodeID) *walk {
	return &walk{graph: g, next: next, seen: make([]uint32, len(g.nodes))}
}

// below visits every node that n reaches, n first, each once.
func (w *walk) below(n node, visit func(nodeID, node)) {
	w.within(n, func(nodeID) bool { return true }, visit)
}

// within visits every node that n reaches through nodes that may be entered.
func (w *walk) within(n node, enter func(nodeID) bool, visit func(nodeID, node)) {
	start := w.graph.lookup(n)
	if start == nowhere || !enter(start) {
		return
	}
	w.round++
	w.seen[start] = w.round
	for w.gray = append(w.gray[:0], start); len(w.gray) > 0; {
		id := w.gray[len(w.gray)-1]
		w.gray = w.gray[:len(w.gray)-1]
		w.visits++
		visit(id, w.graph.nodes[id])
		for _, to := range w.next(id) {
			if w.seen[to] != w.round && enter(to) {
				w.seen[to] = w.round
				w.gray = append(w.gray, to)
			}
		}
	}
}
