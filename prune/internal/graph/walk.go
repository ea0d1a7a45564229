package graph

// Walk visits what single nodes reach, one after the other, with the memory
// of one visit: a mark for each of thousands would clear its own each time.
type Walk struct {
	Graph *Graph
	next  func(NodeID) []NodeID
	// Allowance is how many edges are followed, nil if all are.
	Allowance *Allowance
	// seen is the round in which each node was last visited.
	seen  []uint32
	round uint32
	gray  []NodeID
	// Visits counts the nodes that were visited in all rounds.
	Visits int
}

// Allowance is how many edges may be followed: from each node that a visit
// starts from so many, and beyond that so many from all of them together.
type Allowance struct{ Each, Pool int }

// NewWalk prepares walks over a graph, whose edges next tells.
func NewWalk(g *Graph, next func(NodeID) []NodeID) *Walk {
	return &Walk{Graph: g, next: next, seen: make([]uint32, len(g.Nodes))}
}

// Below visits every node that n reaches, n first, each once, and says whether
// these are all.
func (w *Walk) Below(n Node, visit func(NodeID, Node)) bool {
	return w.Within(n, func(NodeID) bool { return true }, func(id NodeID) { visit(id, w.Graph.Nodes[id]) })
}

// Within visits every node that n reaches through nodes that may be entered.
func (w *Walk) Within(n Node, enter func(NodeID) bool, visit func(NodeID)) (all bool) {
	start := w.Graph.Lookup(n)
	if start == Nowhere || !enter(start) {
		return true
	}
	followed := 0
	w.round++
	w.seen[start] = w.round
	for w.gray = append(w.gray[:0], start); len(w.gray) > 0; {
		id := w.gray[len(w.gray)-1]
		w.gray = w.gray[:len(w.gray)-1]
		w.Visits++
		visit(id)
		for _, to := range w.next(id) {
			if followed++; !w.Allowance.allows(followed) {
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
func (a *Allowance) allows(followed int) bool {
	if a == nil || followed <= a.Each {
		return true
	}
	a.Pool--
	return a.Pool >= 0
}
