package prune

import (
	"fmt"
	"testing"
	"time"

	"github.com/containerd/errdefs"
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
	k := &checker{inv: inv, c: newCollector(inv, noon)}
	k.incomplete(inv.Namespaces[0], newLacker(inv.Namespaces[0]))
	for _, f := range k.found {
		if len(f.Meaning) > 300 {
			t.Fatalf("%s: %.400s…", f.Object, f.Meaning)
		}
	}
	if len(k.found) != deep {
		t.Errorf("%d of %d are incomplete", len(k.found), deep)
	}
	last := fmt.Sprint("link ", deep-1)
	e := must(explainedBy(inv, dig(last).String(), Policy{Namespaces: []string{"default"}, Filters: all()}, noon))
	if len(e.Chains) != maxChains || e.MoreChains != deep-maxChains || len(e.Decisions) != deep {
		t.Errorf("%d chains, %d more, %d decisions", len(e.Chains), e.MoreChains, len(e.Decisions))
	}
	inv.Namespaces[0].Images = inv.Namespaces[0].Images[:1] // a:0
	e = must(explainedBy(inv, dig(last).String(), Policy{Namespaces: []string{"default"}, Filters: all()}, noon))
	way := e.Chains[0]
	if len(way) != maxLinks+1 || way[0].Name != "a.example/a:0" || way[maxLinks].Name != dig(last).String() {
		t.Fatalf("%d links, from %v to %v", len(way), way[0], way[len(way)-1])
	}
	if middle := way[maxLinks/2]; middle.Kind != KindOmitted || middle.Name != fmt.Sprintf("%d more", deep+1-maxLinks) {
		t.Errorf("in the middle is %v", middle)
	}
}

// The root of a far link costs no more to find than that of a near one.
func TestRootOfALongChain(t *testing.T) {
	const deep = 200_000
	g := newGraph(deep)
	for i := range deep {
		g.id(node{kind: kindContent, key: fmt.Sprint(i)})
	}
	r := g.mark([]node{{kind: kindContent, key: "0"}}, func(id nodeID) []nodeID {
		if id+1 == deep {
			return nil
		}
		return []nodeID{id + 1}
	})
	start := time.Now()
	for i := range deep {
		if root, ok := r.root(node{kind: kindContent, key: fmt.Sprint(i)}); !ok || root.key != "0" {
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
	if err := tooLarge(refused); !errdefs.IsResourceExhausted(err) || err.Error() == refused.Error() {
		t.Errorf("got %v", err)
	}
	for _, other := range []error{nil, errdefs.ErrUnavailable} {
		if err := tooLarge(other); err != other { //nolint:errorlint // the very same
			t.Errorf("%v became %v", other, err)
		}
	}
}
