package plan_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A holder is described in words that are never taken apart again, since its
// name may read like any of them.
func TestHolderWithAnOddName(t *testing.T) {
	odd := `a" in namespace "x"; b`
	w := tw.World{
		"default": {tw.Blob("a"), tw.Record("x:1", "a")},
		"other":   {tw.Blob("a"), tw.Record(odd, "a")},
	}
	policy := rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}
	p := tw.Must(plan.NewPlan(w.Inventory(), policy, tw.Noon))
	want := []plan.Held{{
		Namespace: "default", Digest: tw.Digest("a"), Bytes: int64(len(tw.Body("a"))),
		Keeper: cause.Keeper{
			Holder: `image "a\" in namespace \"x\"; b" in namespace "other"`, HolderCode: cause.HolderImage,
			HeldBy: graph.Object{Kind: "image", Namespace: "other", Name: odd},
		},
	}}
	if got := p.Held(); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

// Two names of one image: removing one frees nothing and says so.
func TestDetailsOfARemoval(t *testing.T) {
	inv := tw.World{
		"default": {
			tw.Blob("a"), tw.Record("x:1", "a"), tw.Record("y:1", "a"), tw.Container("c", "y:1", ""),
			tw.Blob("b"), tw.Record("z:1", "b"), tw.Record("gone:1", "g"), tw.Blob("d"), tw.Record("free:1", "d"),
			tw.Blob("e"), tw.Record("leased:1", "e"), tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("e"))),
		},
		"other": {tw.Blob("b"), tw.Record("w:1", "b")},
	}.Inventory()
	plan := tw.Must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}, tw.Noon))
	got := make(map[string]string)
	for _, d := range plan.Decisions {
		got[d.Name] = ""
		for _, detail := range d.Details {
			got[d.Name] += detail.Reason
		}
	}
	want := map[string]string{
		"x:1": `its content is held by image "y:1"`, "y:1": "",
		"z:1":      `its content is held by image "w:1" in namespace "other"`,
		"gone:1":   "its content is not in the store",
		"free:1":   "",
		"leased:1": "its content is held by build history (lease \"" + tw.HistoryLease + "\"); `buildctl prune-histories` frees it",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
	if got, want := plan.Predicted(), (inventory.Amount{Blobs: 1, ContentBytes: tw.Descriptor("d").Size, TotalBytes: tw.Descriptor("d").Size}); got != want {
		t.Errorf("predicted %+v, want %+v", got, want)
	}
}

// Sizes come from the store; hostile ones saturate.
func TestAmountsSaturate(t *testing.T) {
	const most = 1<<63 - 1
	inv := tw.World{"default": {tw.Record("x:1", "a"), tw.Blob("a", tw.RefContent("b"), tw.RefContent("c", ".1")), tw.Blob("b"), tw.Blob("c")}}.Inventory()
	for text, size := range map[string]int64{"a": most, "b": most - 1, "c": -5} {
		info := inv.Namespaces[0].Blobs[tw.Digest(text)]
		info.Size = size
		inv.Namespaces[0].Blobs[tw.Digest(text)] = info
	}
	plan := tw.Must(plan.NewPlan(inv, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}, tw.Noon))
	if got, want := plan.Predicted(), (inventory.Amount{Blobs: 3, ContentBytes: most, TotalBytes: most}); got != want {
		t.Errorf("predicted %+v, want %+v", got, want)
	}
}
