package plan_test

import (
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/prune/internal/document"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// weighed plans a store and weighs its images.
func weighed(inv *inventory.Inventory, policy rules.Policy) (*plan.Plan, *plan.Model) {
	p, m, err := plan.NewPlanAndModel(inv, policy, tw.Noon, nil)
	if err != nil {
		panic(err)
	}
	return p.Weigh(m), m
}

// What the images of a plan free adds up to what the plan frees, and each frees what a
// collection takes more when it goes after those before it.
func TestImagesAddUpToThePlan(t *testing.T) {
	var images, frees, compared atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		w := tw.RandomWorld(t, tw.Shape{Spaces: tw.RandomSpaces})
		defer func() {
			if t.Failed() {
				t.Log(w)
			}
		}()
		if tw.Uniform(t, 2, "tied") == 0 {
			tw.Untie(w)
		}
		inv := w.Inventory()
		policy := tw.RandomPolicy(t, inv)
		if tw.Uniform(t, 2, "abort uploads") == 1 {
			policy.IngestAge = 1
		}
		p, m := weighed(inv, policy)
		doc := document.PlanDocument(p)
		sum := doc.RestBytes
		for _, image := range doc.Images {
			sum += image.FreesBytes
			if image.Action == rules.Keep && image.FreesBytes != 0 {
				t.Fatalf("%s stays and frees %d bytes", image.Name, image.FreesBytes)
			}
		}
		if want := doc.Predicted.TotalBytes; sum != want {
			t.Fatalf("the images and the rest free %d bytes, the plan %d", sum, want)
		}
		images.Add(int64(doc.Counts.Remove))
		frees.Add(sum)
		compared.Add(checkOneByOne(t, p, m))
	})
	t.Logf("%d records go, %d bytes, %d images compared", images.Load(), frees.Load(), compared.Load())
}

// checkOneByOne removes one image after the other and has each collected. It leaves
// out stores in which something else goes with the images, at no place of the order.
func checkOneByOne(t *rapid.T, p *plan.Plan, m *plan.Model) (compared int64) {
	if len(p.Ended())+len(p.Outcome.Orphans) > 0 || p.MayExpire() {
		return 0
	}
	ch := gc.Change{Removed: make(map[graph.Node]bool), StandIns: p.Leaving().StandIns}
	before := m.Collector.Frees(ch).Amount().TotalBytes
	seen := make(map[plan.ImageKey]bool)
	for _, d := range p.Decisions {
		key := plan.ImageKey{Namespace: d.Namespace, Target: d.Target.Digest}
		if !d.Gone() || seen[key] {
			continue
		}
		seen[key] = true
		for _, other := range p.Decisions {
			if other.Gone() && other.Namespace == d.Namespace && other.Target.Digest == d.Target.Digest {
				ch.Removed[graph.ImageNode(other.Namespace, other.Name)] = true
			}
		}
		after := m.Collector.Frees(ch).Amount().TotalBytes
		if got := p.Weights.Of(d.Namespace, d.Target.Digest).FreesBytes; got != after-before {
			t.Fatalf("%s frees %d bytes by the plan, a collection takes %d more", d.Name, got, after-before)
		}
		before = after
		compared++
	}
	return compared
}
