package prune

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/document"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/journal"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// A plan blob that can be read is written and read again as the same.
func FuzzPlanBlob(f *testing.F) {
	f.Fuzz(func(t *testing.T, doc []byte) {
		p, err := journal.ParsePlanBlob(doc)
		if err != nil {
			if p.PlanHead != (journal.PlanHead{}) || p.Records != nil || p.Orphans != nil {
				t.Errorf("a plan beside an error: %+v", p)
			}
			return
		}
		if p.Schema != journal.PlanSchema {
			t.Fatalf("schema %d", p.Schema)
		}
		var back journal.PastPlan
		hold := func(doc []byte, _ []digest.Digest) error { return back.Add(doc) }
		left, err := journal.WritePlan(leases.Run{Name: p.Run, Start: p.Started}, p.Namespace, p.Records, p.Orphans, hold)
		if err != nil {
			return // a year that RFC 3339 cannot write
		}
		if !back.Whole() || len(left) > 0 {
			t.Fatalf("%d of %d records are not written, whole: %v", len(left), len(p.Records), back.Whole())
		}
		if diff := cmp.Diff(p.Records, back.Records, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("read, written and read again:\n%s", diff)
		}
	})
}

// fuzzWorld is what the plan files below are applied to.
func fuzzWorld() *inventory.Inventory {
	return world{
		"default": {
			record("docker.io/library/a:1", "a"), record("docker.io/library/b:1", "b"), record("docker.io/library/used:1", "used"),
			blob("a"), blob("b"), blob("used"), container("c", "docker.io/library/used:1", ""),
		},
		"k8s.io": {record("docker.io/library/a:1", "a"), blob("a")},
	}.inventory()
}

// A plan file is refused in a sentence, or removes exactly the records that it
// names as they are now, and never one that is in use. Planned again from its
// own document, it is the same.
func FuzzPlanFile(f *testing.F) {
	f.Add(must(json.Marshal(document.PlanDocument(must(plan.NewPlan(fuzzWorld(), rules.Policy{AllNamespaces: true, Filters: all()}, noon))))))
	f.Fuzz(func(t *testing.T, file []byte) {
		selection, err := rules.ParseSelection(bytes.NewReader(file))
		if err != nil {
			var wrong *rules.PolicyError
			if !errors.As(err, &wrong) || selection != nil {
				t.Errorf("%v, and a selection: %v", err, selection)
			}
			return
		}
		inv := fuzzWorld()
		inv.Store.ID = selection.Store
		p, err := plan.NewPlan(inv, selection.Policy(), noon)
		if err != nil {
			var wrong *rules.PolicyError
			if !errors.As(err, &wrong) {
				t.Errorf("%v", err)
			}
			return
		}
		going := goingOf(p)
		for _, key := range going {
			record, chosen := selection.Records[key]
			image := inv.Namespace(key[0]).Images[slices.IndexFunc(inv.Namespace(key[0]).Images, isNamed(key[1]))]
			if !chosen || record.Target != image.Target.Digest || !record.UpdatedAt.Equal(image.UpdatedAt) || !record.CreatedAt.Equal(image.CreatedAt) {
				t.Errorf("%q goes and is not in the file as it is: %+v", key, record)
			}
			if key[1] == "docker.io/library/used:1" {
				t.Errorf("what is in use goes")
			}
		}
		again, err := rules.ParseSelection(bytes.NewReader(must(json.Marshal(document.PlanDocument(p)))))
		if err != nil {
			t.Fatalf("its own document cannot be read: %v", err)
		}
		if diff := cmp.Diff(going, goingOf(must(plan.NewPlan(inv, again.Policy(), noon)))); diff != "" {
			t.Errorf("planned again from its document:\n%s", diff)
		}
	})
}

func goingOf(plan *plan.Plan) (going [][2]string) {
	for _, d := range plan.Decisions {
		if d.Action != rules.Keep {
			going = append(going, d.Key())
		}
	}
	return going
}
