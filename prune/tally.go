package prune

import "slices"

// tally sums up what each of many nodes reaches, each object once.
//
// To visit all that is below every node would cost the square of a chain of
// which each link has a name. But what a link reaches is what the next one
// reaches and a little more. So each node has one of its successors as its
// base; the bases make a forest, and the tally goes through that from the
// roots, adding at each node only what its base does not reach, and taking it
// out again on the way back. Images that share little cost what they are, a
// chain or a ring costs its length, and many images on one chain cost that
// once.
//
// No way is known to sum up every graph in linear time. Where a node adds much
// to its base that many others add as well, there is a limit to the work, and
// what is told beyond it is told as a lower bound.
type tally struct {
	graph *graph
	next  func(nodeID) []nodeID
	weigh func(nodeID) mass

	// order are the nodes below those that are asked for, each after all its
	// successors but for those that lead back to it.
	order []nodeID
	base  []nodeID
	// size is more than what a node reaches, as far as it is no circle.
	size []int64
	done []bool
	way  []step

	sum   mass
	in    []bool   // the nodes that sum is of
	trail []nodeID // the same, in the order in which they came
	// share is how many edges each node may follow for itself, pool how many
	// more may be followed beyond that; visits counts all.
	share, pool, visits int
}

const (
	// tallyShare is how many edges each node may follow to what its base does
	// not reach. The image of many platforms and layers has fewer.
	tallyShare = 1 << 10
	// tallyPool is how many edges all nodes together may follow beyond that,
	// which takes a few seconds.
	tallyPool = 1 << 23
)

// total is what a node reaches, or if it is only a bound, a part of that.
type total struct {
	mass
	bound bool
}

func newTally(g *graph, next func(nodeID) []nodeID, weigh func(nodeID) mass) *tally {
	n := len(g.nodes)
	t := &tally{
		graph: g, next: next, weigh: weigh, share: tallyShare, pool: tallyPool,
		base: make([]nodeID, n), size: make([]int64, n), done: make([]bool, n), in: make([]bool, n),
	}
	for i := range t.base {
		t.base[i] = nowhere
	}
	return t
}

// of sums up what each of the nodes reaches, itself included.
func (t *tally) of(wanted []nodeID) map[nodeID]total {
	for _, id := range wanted {
		t.settle(id)
	}
	needed := make([]bool, len(t.base))
	totals := make(map[nodeID]total, len(wanted))
	for _, id := range wanted {
		totals[id] = total{}
		for ; id != nowhere && !needed[id]; id = t.base[id] {
			needed[id] = true
		}
	}
	f := t.forest(needed)
	for _, id := range t.order {
		if needed[id] && t.base[id] == nowhere {
			t.climb(id, f, totals)
		}
	}
	return totals
}

// step is a node on the way of a walk in depth, and how far it got there.
type step struct {
	id nodeID
	at int
}

// settle walks below a node and settles the bases of all that it finds: of
// the successors that do not lead back, the one that seems to reach most.
func (t *tally) settle(start nodeID) {
	if t.size[start] != 0 {
		return
	}
	t.size[start] = 1 // begun
	for t.way = append(t.way[:0], step{id: start}); len(t.way) > 0; {
		s := &t.way[len(t.way)-1]
		below := t.next(s.id)
		if s.at < len(below) {
			child := below[s.at]
			s.at++
			if t.size[child] == 0 {
				t.size[child] = 1
				t.way = append(t.way, step{id: child})
			}
			continue
		}
		t.finish(s.id, below)
		t.way = t.way[:len(t.way)-1]
	}
}

func (t *tally) finish(id nodeID, below []nodeID) {
	for _, child := range below {
		if !t.done[child] {
			continue
		}
		if t.base[id] == nowhere || t.size[child] > t.size[t.base[id]] {
			t.base[id] = child
		}
		t.size[id] = saturate(t.size[id], t.size[child])
	}
	t.done[id] = true
	t.order = append(t.order, id)
}

// forest has the first of the needed nodes on each base, and from each of them
// the next on the same one.
type forest struct{ first, next []nodeID }

func (t *tally) forest(needed []bool) forest {
	f := forest{slices.Repeat([]nodeID{nowhere}, len(t.base)), slices.Repeat([]nodeID{nowhere}, len(t.base))}
	for _, id := range slices.Backward(t.order) {
		if base := t.base[id]; needed[id] && base != nowhere {
			f.next[id], f.first[base] = f.first[base], id
		}
	}
	return f
}

// place is a node on the way through the forest.
type place struct {
	// above is the next of the nodes that have it as their base.
	above nodeID
	// trail is how long that was before the node.
	trail int
	// bound says that not all of what the node reaches was followed.
	bound bool
}

// climb sums up a tree of the forest.
func (t *tally) climb(root nodeID, f forest, totals map[nodeID]total) {
	enter := func(id nodeID, bound bool) place {
		p := place{f.first[id], len(t.trail), bound}
		if !bound {
			p.bound = !t.extend(id)
		}
		if _, wanted := totals[id]; wanted {
			totals[id] = total{t.sum, p.bound}
		}
		return p
	}
	for way := []place{enter(root, false)}; len(way) > 0; {
		p := &way[len(way)-1]
		if id := p.above; id != nowhere {
			p.above = f.next[id]
			way = append(way, enter(id, p.bound))
			continue
		}
		t.retreat(p.trail)
		way = way[:len(way)-1]
	}
}

// extend adds what a node reaches, and says whether that was all.
func (t *tally) extend(id nodeID) bool {
	at, share := len(t.trail), t.share
	t.add(id)
	for ; at < len(t.trail); at++ {
		for _, to := range t.next(t.trail[at]) {
			if share--; share < 0 {
				if t.pool == 0 {
					return false
				}
				t.pool--
			}
			t.visits++
			t.add(to)
		}
	}
	return true
}

func (t *tally) add(id nodeID) {
	if !t.in[id] {
		t.in[id] = true
		t.trail = append(t.trail, id)
		t.sum = t.sum.plus(t.weigh(id))
	}
}

// retreat takes out again what was added since the trail was that long.
func (t *tally) retreat(length int) {
	for _, id := range t.trail[length:] {
		t.in[id] = false
		t.sum = t.sum.minus(t.weigh(id))
	}
	t.trail = t.trail[:length]
}
