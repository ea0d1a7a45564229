package prune

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMark(t *testing.T) {
	n := func(key string) node { return node{kind: kindContent, key: key} }
	flatNode := func(key string) node { return node{kind: kindContent, key: key, flat: true} }
	graph := map[node][]node{
		n("image"): {n("a"), n("b")}, n("lease"): {n("b"), n("c")}, n("c"): {n("b"), n("c"), n("d")}, n("d"): {n("c")},
		n("alone"): {n("a")}, flatNode("e"): nil, n("last"): {n("lease"), flatNode("e")},
	}
	visits := make(map[node]int)
	r := mark([]node{n("image"), n("lease"), n("last"), n("lease")}, func(from node, visit func(node)) {
		if visits[from]++; visits[from] > 2 {
			t.Fatalf("%v is visited again and again", from)
		}
		for _, to := range graph[from] {
			visit(to)
		}
	})
	for key, want := range map[string]string{
		"a": "image", "b": "image", "c": "lease", "d": "lease", "image": "image", "lease": "lease", "e": "last", "alone": "", "none": "",
	} {
		root, ok := r.root(n(key))
		if ok != (want != "") || root.key != want || r.holds(n(key)) != ok {
			t.Errorf("%s is held by %q, %v, want %q", key, root.key, ok, want)
		}
	}
	if diff := cmp.Diff(8, len(r)); diff != "" {
		t.Errorf("reached (-want +got):\n%s", diff)
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
