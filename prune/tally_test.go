package prune

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// randomGraph is one of up to 30 nodes, with edges of which most lead on.
func randomGraph(t *rapid.T) (*graph, [][]nodeID) {
	n := rapid.IntRange(1, 30).Draw(t, "nodes")
	g, edges := newGraph(n), make([][]nodeID, n)
	for i := range n {
		g.id(node{kind: []kind{kindContent, kindSnapshot, kindImage}[i%3], key: fmt.Sprint(i)})
	}
	for range rapid.IntRange(0, 3*n).Draw(t, "edges") {
		from, to := uniform(t, n, "from"), uniform(t, n, "to")
		if from > to && uniform(t, 4, "back") > 0 {
			from, to = to, from
		}
		edges[from] = append(edges[from], nodeID(to))
	}
	return g, edges
}

// What a tally says is what a walk from each node finds; with less work than
// it needs it says less, and says that it does.
func TestTallyIsAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, edges := randomGraph(t)
		next := func(id nodeID) []nodeID { return edges[id] }
		weigh := func(id nodeID) mass {
			switch g.nodes[id].kind {
			case kindContent:
				return blobMass(math.MaxInt64 - int64(id)) // sums that no number holds are taken apart again
			case kindSnapshot:
				return snapshotMass(1 << id)
			default:
				return mass{}
			}
		}
		var wanted []nodeID
		for id := range g.nodes {
			if rapid.Bool().Draw(t, "wanted") {
				wanted = append(wanted, nodeID(id))
			}
		}
		tally := newTally(g, next, weigh)
		totals := tally.of(wanted)
		if len(totals) != len(wanted) || tally.sum != (mass{}) || len(tally.trail) > 0 {
			t.Fatalf("%d of %d nodes, and %+v is left", len(totals), len(wanted), tally.sum)
		}
		poor := newTally(g, next, weigh)
		poor.share, poor.pool = rapid.IntRange(0, 5).Draw(t, "share"), rapid.IntRange(0, 20).Draw(t, "pool")
		bounds := poor.of(wanted)
		if most := poor.share*len(g.nodes) + 20; poor.visits > most {
			t.Fatalf("%d visits of %d", poor.visits, most)
		}
		w := newWalk(g, next)
		for _, id := range wanted {
			var want mass
			w.below(g.nodes[id], func(id nodeID, _ node) { want = want.plus(weigh(id)) })
			if got := totals[id]; got.mass != want || got.bound {
				t.Fatalf("%d of %v: %+v, want %+v", id, edges, got, want)
			}
			got := bounds[id]
			less := got.total().without(want.total()) == wide{} && got.blobs <= want.blobs && got.snapshots <= want.snapshots
			if !less || !got.bound && got.mass != want {
				t.Fatalf("%d of %v with little work: %+v, want %+v or a bound", id, edges, got, want)
			}
		}
	})
}

// The sizes of a mass are those of an amount, which saturates.
func TestMass(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m mass
		var a Amount
		sizes := rapid.SliceOf(rapid.Int64()).Draw(t, "sizes")
		for i, size := range sizes {
			if i%2 == 0 {
				m = m.plus(blobMass(size))
				a.addBlob(size)
			} else {
				m = m.plus(snapshotMass(size))
				a.addSnapshot(size)
			}
		}
		if m.amount() != a {
			t.Fatalf("%v: %+v, want %+v", sizes, m.amount(), a)
		}
		for i, size := range sizes {
			if i%2 == 0 {
				m = m.minus(blobMass(size))
			} else {
				m = m.minus(snapshotMass(size))
			}
		}
		if m != (mass{}) {
			t.Fatalf("%v: %+v is left", sizes, m)
		}
	})
}

// A store in which many images each have two of many long chains takes more
// work than is done: all is told as a bound, and what is no bound is right.
func TestUsageOfATangle(t *testing.T) {
	const chains, length = 12, 40
	var things []thing
	for c := range chains {
		for i := range length {
			things = append(things, blob(fmt.Sprintf("chain %d link %d", c, i), refContent(fmt.Sprintf("chain %d link %d", c, i+1), ".m.0")))
		}
		for d := range c {
			name := fmt.Sprintf("pair %d %d", d, c)
			things = append(things, record("x.example/"+fmt.Sprintf("a:%d-%d", d, c), name), blob(name,
				refContent(fmt.Sprintf("chain %d link 0", d), ".m.0"), refContent(fmt.Sprintf("chain %d link 0", c), ".m.1")))
		}
	}
	inv := world{"default": things}.inventory()
	c := newCollector(inv, noon)
	tally := newTally(c.graph, c.next.of, c.sizes())
	tally.share, tally.pool = 10, 5*length
	bounds := 0
	for n, sum := range c.totalsOf(tally, targetsOf(inv.Namespaces)) {
		want := c.holding(n)
		if sum.bound {
			bounds++
		}
		if got := sum.amount(); !sum.bound && got != want || got.TotalBytes > want.TotalBytes {
			t.Errorf("%s: %+v, want %+v", n.key, sum, want)
		}
	}
	if all := chains * (chains - 1) / 2; bounds == 0 || bounds == all {
		t.Errorf("%d of %d are bounds", bounds, all)
	}
}
