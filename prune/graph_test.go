package prune

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
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

// Of an image and a lease that hold the same, people know the image.
func TestHolderThatPeopleKnow(t *testing.T) {
	w := world{"default": {
		blob("a"), record("kept:1", "a"), record("gone:1", "a"), lease("l", holding(theBlob("a"))),
		podSandbox("p", refContent("a")), container("c", "", "", refContent("a")),
	}}
	s := w.build(t, t.TempDir())
	defer func() { must(0, s.Close()) }()
	inv := readWhole(t, s)
	remove := func(names ...string) (decisions []rules.Decision) {
		for _, name := range names {
			decisions = append(decisions, rules.Decision{Namespace: "default", Name: name, Target: descriptor("a"), Action: rules.Remove})
		}
		return decisions
	}
	for want, decisions := range map[string][]rules.Decision{
		`image "kept:1"`: remove("gone:1"), "container c": remove("gone:1", "kept:1"),
	} {
		o := outcomeOf(inv, decisions)
		if len(o.Held) != 1 || o.Held[0].Holder != want {
			t.Errorf("got %+v, want holder %s", o.Held, want)
		}
	}
}
