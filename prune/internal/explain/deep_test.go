package explain_test

import (
	"fmt"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// What is said of an image does not grow with how deep its indexes go, and a
// long chain of holders is told by its ends.
func TestDeepChains(t *testing.T) {
	const deep = 2000
	var things []tw.Thing
	for i := range deep {
		things = append(things, tw.Blob(fmt.Sprint("link ", i), tw.RefContent(fmt.Sprint("link ", i+1), ".m.0")), tw.Record(fmt.Sprintf("a.example/a:%d", i), fmt.Sprint("link ", i)))
	}
	inv := tw.World{"default": things}.Inventory()
	k := &check.Checker{Inv: inv, C: gc.NewCollector(inv, tw.Noon)}
	k.Incomplete(inv.Namespaces[0], manifests.NewCompleteness(inv.Namespaces[0]))
	for _, f := range k.Found {
		if len(f.Meaning) > 300 {
			t.Fatalf("%s: %.400s…", f.Object, f.Meaning)
		}
	}
	if len(k.Found) != deep {
		t.Errorf("%d of %d are incomplete", len(k.Found), deep)
	}
	last := fmt.Sprint("link ", deep-1)
	e := tw.Must(tw.ExplainedBy(inv, tw.Digest(last).String(), rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}, tw.Noon))
	if len(e.Chains) != gc.MaxChains || e.MoreChains != deep-gc.MaxChains || len(e.Decisions) != deep {
		t.Errorf("%d chains, %d more, %d decisions", len(e.Chains), e.MoreChains, len(e.Decisions))
	}
	inv.Namespaces[0].Images = inv.Namespaces[0].Images[:1] // a:0
	e = tw.Must(tw.ExplainedBy(inv, tw.Digest(last).String(), rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}, tw.Noon))
	way := e.Chains[0]
	if len(way) != gc.MaxLinks+1 || way[0].Name != "a.example/a:0" || way[gc.MaxLinks].Name != tw.Digest(last).String() {
		t.Fatalf("%d links, from %v to %v", len(way), way[0], way[len(way)-1])
	}
	if middle := way[gc.MaxLinks/2]; middle.Kind != gc.KindOmitted || middle.Name != fmt.Sprintf("%d more", deep+1-gc.MaxLinks) {
		t.Errorf("in the middle is %v", middle)
	}
}
