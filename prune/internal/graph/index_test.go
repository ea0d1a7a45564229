package graph_test

import (
	"fmt"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
)

// Every node keeps its number while the graph grows, and what differs in one
// thing only is another node.
func TestNumbersStay(t *testing.T) {
	for _, size := range []int{0, 1, 5000} {
		g, numbers := graph.NewGraph(size), make(map[graph.Node]graph.NodeID)
		for i := range 1000 {
			for _, ns := range []string{"", "a", "b"} {
				for _, kind := range []graph.Kind{graph.KindContent, graph.KindImage} {
					n := graph.Node{Kind: kind, Namespace: ns, Key: fmt.Sprint(i)}
					if id := g.Lookup(n); id != graph.Nowhere {
						t.Fatalf("%v has number %d before it was met", n, id)
					}
					numbers[n] = g.ID(n)
				}
			}
		}
		if len(g.Nodes) != len(numbers) {
			t.Fatalf("%d numbers for %d nodes", len(g.Nodes), len(numbers))
		}
		for n, id := range numbers {
			if g.ID(n) != id || g.Lookup(n) != id || g.Nodes[id] != n {
				t.Errorf("%v had number %d, now %d and %d", n, id, g.ID(n), g.Lookup(n))
			}
		}
	}
}
