package gc_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/prune/internal/df"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// randomGraph is one of up to 30 nodes, with edges of which most lead on.
func randomGraph(t *rapid.T) (*graph.Graph, [][]graph.NodeID) {
	n := rapid.IntRange(1, 30).Draw(t, "nodes")
	g, edges := graph.NewGraph(n), make([][]graph.NodeID, n)
	for i := range n {
		g.ID(graph.Node{Kind: []graph.Kind{graph.KindContent, graph.KindSnapshot, graph.KindImage}[i%3], Key: fmt.Sprint(i)})
	}
	for range rapid.IntRange(0, 3*n).Draw(t, "edges") {
		from, to := tw.Uniform(t, n, "from"), tw.Uniform(t, n, "to")
		if from > to && tw.Uniform(t, 4, "back") > 0 {
			from, to = to, from
		}
		edges[from] = append(edges[from], graph.NodeID(to))
	}
	return g, edges
}

// reachedFrom is what a node reaches, by following all edges until nothing is
// new.
func reachedFrom(id graph.NodeID, edges [][]graph.NodeID) map[graph.NodeID]bool {
	reached := map[graph.NodeID]bool{id: true}
	for before := 0; before < len(reached); {
		before = len(reached)
		for from := range edges {
			for _, to := range edges[from] {
				if reached[graph.NodeID(from)] {
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
		next := func(id graph.NodeID) []graph.NodeID { return edges[id] }
		weigh := func(id graph.NodeID, sum *inventory.Amount) {
			switch g.Nodes[id].Kind {
			case graph.KindContent:
				sum.AddBlob(math.MaxInt64 / 3)
			case graph.KindSnapshot:
				sum.AddSnapshot(1 << id)
			}
		}
		wanted := rapid.SliceOf(rapid.SampledFrom(g.Nodes)).Draw(t, "wanted")
		totals := gc.SumBelow(graph.NewWalk(g, next), weigh, wanted)
		poor := graph.NewWalk(g, next)
		poor.Allowance = &graph.Allowance{Each: rapid.IntRange(0, 5).Draw(t, "each"), Pool: rapid.IntRange(0, 20).Draw(t, "pool")}
		bounds := gc.SumBelow(poor, weigh, wanted)
		for _, n := range wanted {
			var want inventory.Amount
			for id := range reachedFrom(g.Lookup(n), edges) {
				weigh(id, &want)
			}
			if got := totals[n]; got.Amount != want || got.Bound {
				t.Fatalf("%v of %v: %+v, want %+v", n, edges, got, want)
			}
			got := bounds[n]
			less := got.TotalBytes <= want.TotalBytes && got.Blobs <= want.Blobs && got.Snapshots <= want.Snapshots
			if !less || !got.Bound && got.Amount != want {
				t.Fatalf("%v of %v with few edges: %+v, want %+v or a bound", n, edges, got, want)
			}
		}
	})
}

// However images refer to each other, no more edges are followed than are
// allowed.
func TestTotalsVisitNoMoreThanIsAllowed(t *testing.T) {
	tw.NotUnderRace(t)
	const n = 3000
	for name := range tw.Linked {
		inv := tw.LinkedInventory(name, n)
		c := gc.NewCollector(inv, tw.Noon)
		w := c.Walk()
		w.Allowance = &graph.Allowance{Each: 10, Pool: 5 * n}
		targets := df.TargetsOf(inv.Namespaces)
		gc.SumBelow(w, c.Sizes(), targets)
		if most := 11*len(targets) + 5*n; w.Visits > most {
			t.Errorf("%s: %d nodes are visited, at most %d may", name, w.Visits, most)
		}
	}
}
