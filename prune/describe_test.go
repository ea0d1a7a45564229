package prune

import (
	"context"
	"slices"
	"testing"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// A holder is described in words that are never taken apart again, since its
// name may read like any of them.
func TestHolderWithAnOddName(t *testing.T) {
	odd := `a" in namespace "x"; b`
	w := world{
		"default": {blob("a"), record("x:1", "a")},
		"other":   {blob("a"), record(odd, "a")},
	}
	policy := rules.Policy{Namespaces: []string{"default"}, Filters: all()}
	p := must(plan.NewPlan(w.inventory(), policy, noon))
	want := []plan.Held{{
		Namespace: "default", Digest: dig("a"), Bytes: int64(len(body("a"))),
		Keeper: cause.Keeper{
			Holder: `image "a\" in namespace \"x\"; b" in namespace "other"`, HolderCode: cause.HolderImage,
			HeldBy: graph.Object{Kind: "image", Namespace: "other", Name: odd},
		},
	}}
	if got := p.Held(); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
}

// What is still there is told with the namespace of its holder, whichever that
// is: a digest alone has none.
func TestChangesNameTheNamespaceOfTheHolder(t *testing.T) {
	for _, ns := range []string{"default", "other"} {
		s := newScene(t, world{
			"default": {blob("a"), record("x:1", "a"), blob("b")},
			"other":   {blob("a"), record("x:2", "a")},
		})
		s.ctx = store.InNamespace(context.Background(), ns)
		s.tape.after = on("delete x:2", func() error {
			s.add(lease("late", holding(theBlob("a"))))
			return nil
		})
		report, err := s.run(context.Background(), leases.Procfs{})
		want := dig("a").String() + ` was expected to go and is still there: held by lease "late" (other client) in namespace "` + ns + `"`
		if err != nil || !slices.Equal(report.Changes, []string{want}) {
			t.Errorf("%q, %v", report.Changes, err)
		}
	}
}
