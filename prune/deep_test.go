package prune

import (
	"fmt"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// What is said of an image does not grow with how deep its indexes go, and a
// long chain of holders is told by its ends.
func TestDeepChains(t *testing.T) {
	const deep = 2000
	var things []thing
	for i := range deep {
		things = append(things, blob(fmt.Sprint("link ", i), refContent(fmt.Sprint("link ", i+1), ".m.0")), record(fmt.Sprintf("a.example/a:%d", i), fmt.Sprint("link ", i)))
	}
	inv := world{"default": things}.inventory()
	k := &check.Checker{Inv: inv, C: gc.NewCollector(inv, noon)}
	k.Incomplete(inv.Namespaces[0], manifests.NewLacker(inv.Namespaces[0]))
	for _, f := range k.Found {
		if len(f.Meaning) > 300 {
			t.Fatalf("%s: %.400s…", f.Object, f.Meaning)
		}
	}
	if len(k.Found) != deep {
		t.Errorf("%d of %d are incomplete", len(k.Found), deep)
	}
	last := fmt.Sprint("link ", deep-1)
	e := must(explainedBy(inv, dig(last).String(), rules.Policy{Namespaces: []string{"default"}, Filters: all()}, noon))
	if len(e.Chains) != gc.MaxChains || e.MoreChains != deep-gc.MaxChains || len(e.Decisions) != deep {
		t.Errorf("%d chains, %d more, %d decisions", len(e.Chains), e.MoreChains, len(e.Decisions))
	}
	inv.Namespaces[0].Images = inv.Namespaces[0].Images[:1] // a:0
	e = must(explainedBy(inv, dig(last).String(), rules.Policy{Namespaces: []string{"default"}, Filters: all()}, noon))
	way := e.Chains[0]
	if len(way) != gc.MaxLinks+1 || way[0].Name != "a.example/a:0" || way[gc.MaxLinks].Name != dig(last).String() {
		t.Fatalf("%d links, from %v to %v", len(way), way[0], way[len(way)-1])
	}
	if middle := way[gc.MaxLinks/2]; middle.Kind != gc.KindOmitted || middle.Name != fmt.Sprintf("%d more", deep+1-gc.MaxLinks) {
		t.Errorf("in the middle is %v", middle)
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

// An answer that containerd may not send is told with what helps.
func TestTooLarge(t *testing.T) {
	refused := fmt.Errorf("in whatever words: %w", errdefs.ErrResourceExhausted)
	if err := read.TooLarge(refused); !errdefs.IsResourceExhausted(err) || err.Error() == refused.Error() {
		t.Errorf("got %v", err)
	}
	for _, other := range []error{nil, errdefs.ErrUnavailable} {
		if err := read.TooLarge(other); err != other { //nolint:errorlint // the very same
			t.Errorf("%v became %v", other, err)
		}
	}
}
