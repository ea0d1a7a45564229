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
		count, names := 0, 0
		for _, usage := range u.Types {
			size, types = size+usage.SizeBytes, types+usage.ReclaimableBytes
			if usage.Active > usage.Total {
				t.Fatalf("%+v", usage)
			}
		}
		for _, ns := range u.Namespaces {
			spaces += ns.ReclaimableBytes
			count, names = count+ns.Images, names+ns.Names
		}
		for _, image := range u.Images {
			images += image.ReclaimableBytes
			names -= len(image.Names)
		}
		if count != u.Types[0].Total || count != len(u.Images) || names != 0 {
			t.Fatalf("the namespaces have %d images, all have %d, and %d are listed, without %d names: %+v\n%v", count, u.Types[0].Total, len(u.Images), names, u.Namespaces, w)
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
