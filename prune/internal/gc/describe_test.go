package gc_test

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// Of an image and a lease that hold the same, people know the image.
func TestHolderThatPeopleKnow(t *testing.T) {
	w := tw.World{"default": {
		tw.Blob("a"), tw.Record("kept:1", "a"), tw.Record("gone:1", "a"), tw.Lease("l", tw.Holding(tw.TheBlob("a"))),
		tw.PodSandbox("p", tw.RefContent("a")), tw.Container("c", "", "", tw.RefContent("a")),
	}}
	s := w.Build(t, t.TempDir())
	defer func() { tw.Must(0, s.Close()) }()
	inv := tw.ReadWhole(t, s)
	remove := func(names ...string) (decisions []rules.Decision) {
		for _, name := range names {
			decisions = append(decisions, rules.Decision{Namespace: "default", Name: name, Target: tw.Descriptor("a"), Action: rules.Remove})
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
