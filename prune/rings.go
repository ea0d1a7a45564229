package prune

// rings finds the sets of nodes of a graph that all lead to each other, those
// of one node left out (Tarjan's strongly connected components, without
// recursion). Each node and edge is visited once; next may make its answer
// anew, but always the same.
func rings(n int, next func(int) []int) [][]int {
	f := &ringFinder{met: make([]int, n), low: make([]int, n), on: make([]bool, n)}
	for start := range n {
		if f.met[start] == 0 {
			f.walk(start, next)
		}
	}
	return f.found
}

type ringFinder struct {
	// met counts the nodes in the order in which they are met, from 1; low is
	// the least of these that a node leads to.
	met, low []int
	count    int
	// open are the nodes whose set is not known yet; on says which they are.
	open  []int
	on    []bool
	way   []ringStep
	found [][]int
}

// ringStep is a node on the way, with what it leads to that is still to be
// looked at.
type ringStep struct {
	node int
	rest []int
}

func (f *ringFinder) meet(node int, next func(int) []int) ringStep {
	f.count++
	f.met[node], f.low[node], f.on[node] = f.count, f.count, true
	f.open = append(f.open, node)
	return ringStep{node, next(node)}
}

func (f *ringFinder) walk(start int, next func(int) []int) {
	for f.way = append(f.way[:0], f.meet(start, next)); len(f.way) > 0; {
		s := &f.way[len(f.way)-1]
		if len(s.rest) > 0 {
			to := s.rest[0]
			s.rest = s.rest[1:]
			switch {
			case f.met[to] == 0:
				f.way = append(f.way, f.meet(to, next))
			case f.on[to]:
				f.low[s.node] = min(f.low[s.node], f.met[to])
			}
			continue
		}
		f.close(s.node)
		f.way = f.way[:len(f.way)-1]
		if len(f.way) > 0 {
			before := f.way[len(f.way)-1].node
			f.low[before] = min(f.low[before], f.low[s.node])
		}
	}
}

// close ends a node; if it leads to none met before it, what is open since is
// its set.
func (f *ringFinder) close(node int) {
	if f.low[node] != f.met[node] {
		return
	}
	at := len(f.open) - 1
	for f.open[at] != node {
		at--
	}
	for _, n := range f.open[at:] {
		f.on[n] = false
	}
	if len(f.open)-at > 1 {
		f.found = append(f.found, append([]int(nil), f.open[at:]...))
	}
	f.open = f.open[:at]
}
