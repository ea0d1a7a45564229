package journal_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/journal"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
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
		left, err := journal.WritePlan(lock.Run{Name: p.Run, Start: p.Started}, p.Namespace, p.Namespaces, p.Records, p.Orphans, hold)
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
