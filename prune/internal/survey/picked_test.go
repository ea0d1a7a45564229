package survey_test

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/survey"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// surveyed is the survey of all namespaces of an inventory.
func surveyed(inv *inventory.Inventory) (*survey.Survey, *plan.Plan) {
	p, m, err := plan.NewPlanAndModel(inv, rules.Policy{AllNamespaces: true, Filters: filters.Everything()}, tw.Noon, nil)
	if err != nil {
		panic(err)
	}
	return survey.New(p, m), p
}

// Of any images that are picked just those go, and just as much is freed, as a plan
// says that is made anew by the policy that removes them.
func TestPickedIsWhatIsPlanned(t *testing.T) {
	var picks, gone, stays, freed atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		w := tw.RandomWorld(t, tw.Shape{Spaces: tw.RandomSpaces})
		if tw.Uniform(t, 4, "tied") > 0 {
			tw.Untie(w)
		}
		defer func() {
			if t.Failed() {
				t.Log(w)
			}
		}()
		inv := w.Inventory()
		s, all := surveyed(inv)
		for range 4 {
			var images []int
			for i := range s.Usage.Images {
				if tw.Uniform(t, 2, "picked") == 1 {
					images = append(images, i)
				}
			}
			picked := s.Pick(images)
			p := tw.Must(plan.NewPlan(inv, s.Policy(images), tw.Noon))
			if p.Blocked != nil || all.Blocked != nil {
				continue
			}
			checkPlanned(t, s, picked, p)
			picks.Add(1)
			gone.Add(int64(picked.Records))
			stays.Add(int64(len(picked.Stays)))
			freed.Add(picked.Frees.TotalBytes)
		}
	})
	t.Logf("%d picks: %d records go, %d images stay, %d bytes", picks.Load(), gone.Load(), stays.Load(), freed.Load())
}

// checkPlanned compares what is said of picked images with a plan.
func checkPlanned(t *rapid.T, s *survey.Survey, picked survey.Picked, p *plan.Plan) {
	var goes []int
	records := 0
	for _, d := range p.Decisions {
		if !d.Gone() {
			continue
		}
		records++
		goes = append(goes, slices.IndexFunc(s.Usage.Images, func(i usage) bool { return i.Namespace == d.Namespace && i.Target == d.Target.Digest }))
	}
	slices.Sort(goes)
	if diff := cmp.Diff(slices.Compact(goes), picked.Goes); diff != "" || records != picked.Records {
		t.Fatalf("%d records go, %d are said to (-planned +picked):\n%s", records, picked.Records, diff)
	}
	if diff := cmp.Diff(p.Predicted(), picked.Frees); diff != "" {
		t.Fatalf("freed (-planned +picked):\n%s", diff)
	}
	var held inventory.Amount
	for _, h := range picked.Held {
		held.Add(h.Amount)
	}
	distinct := inventory.NewObjects()
	for _, h := range p.Held() {
		if h.Snapshot != "" {
			distinct.Snapshots[h.SnapshotID()] = h.Bytes
		} else if _, lost := p.Inventory.Lost[h.Digest]; !lost {
			distinct.Blobs[h.Digest] = h.Bytes
		}
	}
	if want := distinct.Amount(); want != held {
		t.Fatalf("held: %+v are said to be, planned are %+v", held, want)
	}
}
