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

// reachedFrom is what a node reaches, by following all edges until nothing is
// new.
func reachedFrom(id nodeID, edges [][]nodeID) map[nodeID]bool {
	reached := map[nodeID]bool{id: true}
	for before := 0; before < len(reached); {
		before = len(reached)
		for from := range edges {
			for _, to := range edges[from] {
				if reached[nodeID(from)] {
					reached[to] = true
				}
			}
		}
	}
	return reached
}

// What a total says is what a node reaches, each object once, up to the largest
// number; with fewer edges than it needs it says less, and says that it does.
func TestTotals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g, edges := randomGraph(t)
		next := func(id nodeID) []nodeID { return edges[id] }
		weigh := func(id nodeID, sum *Amount) {
			switch g.nodes[id].kind {
			case kindContent:
				sum.addBlob(math.MaxInt64 / 3)
			case kindSnapshot:
				sum.addSnapshot(1 << id)
			}
		}
		wanted := rapid.SliceOf(rapid.SampledFrom(g.nodes)).Draw(t, "wanted")
		totals := newWalk(g, next).totals(weigh, wanted)
		poor := newWalk(g, next)
		poor.allowance = &allowance{rapid.IntRange(0, 5).Draw(t, "each"), rapid.IntRange(0, 20).Draw(t, "pool")}
		bounds := poor.totals(weigh, wanted)
		for _, n := range wanted {
			var want Amount
			for id := range reachedFrom(g.lookup(n), edges) {
				weigh(id, &want)
			}
			if got := totals[n]; got.Amount != want || got.bound {
				t.Fatalf("%v of %v: %+v, want %+v", n, edges, got, want)
			}
			got := bounds[n]
			less := got.TotalBytes <= want.TotalBytes && got.Blobs <= want.Blobs && got.Snapshots <= want.Snapshots
			if !less || !got.bound && got.Amount != want {
				t.Fatalf("%v of %v with few edges: %+v, want %+v or a bound", n, edges, got, want)
			}
		}
	})
}

// However images refer to each other, no more edges are followed than are
// allowed.
func TestTotalsVisitNoMoreThanIsAllowed(t *testing.T) {
	notUnderRace(t)
	const n = 3000
	for name := range linked {
		inv := linkedInventory(name, n)
		c := newCollector(inv, noon)
		w := c.walk()
		w.allowance = &allowance{10, 5 * n}
		targets := targetsOf(inv.Namespaces)
		w.totals(c.sizes(), targets)
		if most := 11*len(targets) + 5*n; w.visits > most {
			t.Errorf("%s: %d nodes are visited, at most %d may", name, w.visits, most)
		}
	}
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
	w := c.walk()
	w.allowance = &allowance{10, 50 * length}
	bounds := 0
	for n, sum := range w.totals(c.sizes(), targetsOf(inv.Namespaces)) {
		want := c.holding(n)
		if sum.bound {
			bounds++
		}
		if got := sum.Amount; !sum.bound && got != want || got.TotalBytes > want.TotalBytes {
			t.Errorf("%s: %+v, want %+v", n.key, sum, want)
		}
	}
	if all := chains * (chains - 1) / 2; bounds == 0 || bounds == all {
		t.Errorf("%d of %d are bounds", bounds, all)
	}
}
