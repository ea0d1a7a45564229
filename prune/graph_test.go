package prune

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// drawn is a graph that was written down, with its edges.
func drawn(edges map[node][]node) (*graph, func(nodeID) []nodeID) {
	g, next := newGraph(0), make(map[nodeID][]nodeID)
	for from, to := range edges {
		for _, n := range to {
			next[g.id(from)] = append(next[g.id(from)], g.id(n))
		}
		g.id(from)
	}
	return g, func(id nodeID) []nodeID { return next[id] }
}

func TestMark(t *testing.T) {
	n := func(key string) node { return node{kind: kindContent, key: key} }
	flatNode := func(key string) node { return node{kind: kindContent, key: key, flat: true} }
	g, next := drawn(map[node][]node{
		n("image"): {n("a"), n("b")}, n("lease"): {n("b"), n("c")}, n("c"): {n("b"), n("c"), n("d")}, n("d"): {n("c")},
		n("alone"): {n("a")}, flatNode("e"): nil, n("last"): {n("lease"), flatNode("e")},
	})
	visits := make(map[nodeID]int)
	counted := func(from nodeID) []nodeID {
		if visits[from]++; visits[from] > 2 {
			t.Fatalf("%v is visited again and again", g.nodes[from])
		}
		return next(from)
	}
	r := g.mark([]node{n("image"), n("lease"), n("last"), n("lease"), n("unheard of")}, counted)
	for key, want := range map[string]string{
		"a": "image", "b": "image", "c": "lease", "d": "lease", "image": "image", "lease": "lease", "e": "last", "alone": "", "none": "",
	} {
		root, ok := r.root(n(key))
		if ok != (want != "") || root.key != want || r.holds(n(key)) != ok {
			t.Errorf("%s is held by %q, %v, want %q", key, root.key, ok, want)
		}
	}
	if r.has(n("e")) || !r.has(flatNode("e")) {
		t.Error("a node and its flat twin are taken for one")
	}
	if diff := cmp.Diff(8, len(r.order)); diff != "" {
		t.Errorf("reached (-want +got):\n%s", diff)
	}
	if (reached{}).holds(n("a")) {
		t.Error("nothing holds a node")
	}
}

func TestWalk(t *testing.T) {
	n := func(key string) node { return node{kind: kindContent, key: key} }
	g, next := drawn(map[node][]node{n("a"): {n("b"), n("c")}, n("b"): {n("c"), n("a")}, n("d"): {n("c")}})
	w := newWalk(g, next)
	for _, c := range []struct{ from, want string }{{"a", "a b c"}, {"d", "c d"}, {"a", "a b c"}, {"c", "c"}, {"none", ""}} {
		var found []string
		w.below(n(c.from), func(_ nodeID, m node) { found = append(found, m.key) })
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
	remove := func(names ...string) (decisions []Decision) {
		for _, name := range names {
			decisions = append(decisions, Decision{Namespace: "default", Name: name, Target: descriptor("a"), Action: Remove})
		}
		return decisions
	}
	for want, decisions := range map[string][]Decision{
		`image "kept:1"`: remove("gone:1"), "container c": remove("gone:1", "kept:1"),
	} {
		o := outcomeOf(inv, decisions)
		if len(o.held) != 1 || o.held[0].Holder != want {
			t.Errorf("got %+v, want holder %s", o.held, want)
		}
	}
}
