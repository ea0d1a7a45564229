package graph_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
)

// drawn is a graph that was written down, with its edges.
func drawn(edges map[graph.Node][]graph.Node) (*graph.Graph, func(graph.NodeID) []graph.NodeID) {
	g, next := graph.NewGraph(0), make(map[graph.NodeID][]graph.NodeID)
	for from, to := range edges {
		for _, n := range to {
			next[g.ID(from)] = append(next[g.ID(from)], g.ID(n))
		}
		g.ID(from)
	}
	return g, func(id graph.NodeID) []graph.NodeID { return next[id] }
}

func TestMark(t *testing.T) {
	n := func(key string) graph.Node { return graph.Node{Kind: graph.KindContent, Key: key} }
	flatNode := func(key string) graph.Node { return graph.Node{Kind: graph.KindContent, Key: key, Flat: true} }
	g, next := drawn(map[graph.Node][]graph.Node{
		n("image"): {n("a"), n("b")}, n("lease"): {n("b"), n("c")}, n("c"): {n("b"), n("c"), n("d")}, n("d"): {n("c")},
		n("alone"): {n("a")}, flatNode("e"): nil, n("last"): {n("lease"), flatNode("e")},
	})
	visits := make(map[graph.NodeID]int)
	counted := func(from graph.NodeID) []graph.NodeID {
		if visits[from]++; visits[from] > 2 {
			t.Fatalf("%v is visited again and again", g.Nodes[from])
		}
		return next(from)
	}
	r := g.Mark([]graph.Node{n("image"), n("lease"), n("last"), n("lease"), n("unheard of")}, counted)
	for key, want := range map[string]string{
		"a": "image", "b": "image", "c": "lease", "d": "lease", "image": "image", "lease": "lease", "e": "last", "alone": "", "none": "",
	} {
		root, ok := r.Root(n(key))
		if ok != (want != "") || root.Key != want || r.Holds(n(key)) != ok {
			t.Errorf("%s is held by %q, %v, want %q", key, root.Key, ok, want)
		}
	}
	if r.Has(n("e")) || !r.Has(flatNode("e")) {
		t.Error("a node and its flat twin are taken for one")
	}
	if diff := cmp.Diff(8, len(r.Order)); diff != "" {
		t.Errorf("reached (-want +got):\n%s", diff)
	}
	if (graph.Reached{}).Holds(n("a")) {
		t.Error("nothing holds a node")
	}
}

func TestWalk(t *testing.T) {
	n := func(key string) graph.Node { return graph.Node{Kind: graph.KindContent, Key: key} }
	g, next := drawn(map[graph.Node][]graph.Node{n("a"): {n("b"), n("c")}, n("b"): {n("c"), n("a")}, n("d"): {n("c")}})
	w := graph.NewWalk(g, next)
	for _, c := range []struct{ from, want string }{{"a", "a b c"}, {"d", "c d"}, {"a", "a b c"}, {"c", "c"}, {"none", ""}} {
		var found []string
		w.Below(n(c.from), func(_ graph.NodeID, m graph.Node) { found = append(found, m.Key) })
		slices.Sort(found)
		if got := strings.Join(found, " "); got != c.want {
			t.Errorf("below %s: %q, want %q", c.from, got, c.want)
		}
	}
}

// The root of a far link costs no more to find than that of a near one.
func TestRootOfALongChain(t *testing.T) {
	const deep = 200_000
	g := graph.NewGraph(deep)
	for i := range deep {
		g.ID(graph.Node{Kind: graph.KindContent, Key: fmt.Sprint(i)})
	}
	r := g.Mark([]graph.Node{{Kind: graph.KindContent, Key: "0"}}, func(id graph.NodeID) []graph.NodeID {
		if id+1 == deep {
			return nil
		}
		return []graph.NodeID{id + 1}
	})
	start := time.Now()
	for i := range deep {
		if root, ok := r.Root(graph.Node{Kind: graph.KindContent, Key: fmt.Sprint(i)}); !ok || root.Key != "0" {
			t.Fatalf("%d is held by %v", i, root)
		}
	}
	if took := time.Since(start); took > 10*time.Second { // going up link by link takes minutes
		t.Errorf("it took %s", took)
	}
}
