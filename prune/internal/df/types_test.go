package df_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/prune/internal/df"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// The columns add up to the totals: of types, of namespaces, and of images unless
// something is freed that is of none.
func TestColumnsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := tw.RandomWorld(t, tw.Shape{Spaces: tw.RandomSpaces})
		inv := w.Inventory()
		policy := rules.Policy{AllNamespaces: true, Filters: tw.All()}
		p, m, err := plan.NewPlanAndModel(inv, policy, tw.Noon, nil)
		if err != nil {
			t.Fatal(err)
		}
		u := df.PlanUsage(p, m, false)
		var size, types, spaces, images int64
		for _, usage := range u.Types {
			size, types = size+usage.SizeBytes, types+usage.ReclaimableBytes
			if usage.Active > usage.Total {
				t.Fatalf("%+v", usage)
			}
		}
		for _, ns := range u.Namespaces {
			spaces += ns.ReclaimableBytes
		}
		for _, image := range u.Images {
			images += image.ReclaimableBytes
		}
		if want := u.Total.TotalBytes + u.IngestBytes; size != want {
			t.Fatalf("the types have %d bytes, all have %d: %+v\n%v", size, want, u.Types, w)
		}
		images += p.Adding(m).RestBytes()
		if want := u.Reclaimable.TotalBytes; types != want || spaces != want || images != want {
			t.Fatalf("reclaimable are %d bytes by types, %d by namespaces, %d by images, in all %d\n%v", types, spaces, images, want, w)
		}
	})
}

// Each object counts for one type, and each thing for its own.
func TestTypes(t *testing.T) {
	u := tw.UsageOf(tw.UsageStore(), rules.Policy{AllNamespaces: true, Filters: tw.All()}, tw.Noon, false)
	want := []df.TypeUsage{
		{Type: df.HeldByImages, Total: 2, Active: 1, SizeBytes: 430, ReclaimableBytes: 73},
		{Type: df.HeldByContainers, Total: 1, Active: 1, SizeBytes: 20},
		{Type: df.HeldByBuilds},
		{Type: df.HeldByLeases, Total: 1, Active: 1},
		{Type: df.HeldByIngests},
		{Type: df.HeldByNothing, Total: 1, SizeBytes: 9},
	}
	if diff := cmp.Diff(want, u.Types); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
}
