package plan_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

func TestAbandonedUploads(t *testing.T) {
	old, young := tw.Created(tw.Noon.Add(-48*time.Hour)), tw.Created(tw.Noon.Add(-time.Hour))
	soon := tw.Expiring(tw.Noon.Add(time.Hour))
	w := tw.World{
		"default": {
			tw.Upload("old", "", old), tw.Upload("young", "", young), tw.Upload("old, written to", "", old, tw.Updated(tw.Noon.Add(-time.Minute))),
			tw.Upload("leased", "", old), tw.Lease("pull", soon, tw.Holding(tw.TheUpload("leased"))),
			tw.Upload("leased once", "", old), tw.Lease("gone", tw.Expiring(tw.Noon.Add(-time.Hour)), tw.Holding(tw.TheUpload("leased once"))),
			tw.Upload("future", "", tw.Created(tw.Noon.Add(time.Hour))), tw.Upload("exactly", "", tw.Created(tw.Noon.Add(-24*time.Hour))),
		},
		"default_history": {tw.Upload("old", "", old)},
	}
	inv := w.Inventory()
	for _, ns := range inv.Namespaces {
		for i := range ns.Ingests {
			if ns.Ingests[i].UpdatedAt.Equal(tw.MonthAgo) {
				ns.Ingests[i].UpdatedAt = ns.Ingests[i].StartedAt
			}
		}
	}
	lines := func(policy rules.Policy) (lines []string) {
		policy.AllNamespaces, policy.Filters = true, tw.All()
		for _, u := range tw.Must(plan.NewPlan(inv, policy, tw.Noon)).Uploads {
			lines = append(lines, fmt.Sprintf("%s %s: %s: %s", u.Namespace, u.Ref, u.Action, u.Reason))
		}
		return lines
	}
	want := []string{
		"default old: remove: abandoned: last written to at 2026-11-19T12:00:00Z",
		"default young: keep: last written to less than 24h ago",
		"default old, written to: keep: last written to less than 24h ago",
		`default leased: keep: held by lease "pull"`,
		"default leased once: remove: abandoned: last written to at 2026-11-19T12:00:00Z",
		"default future: keep: last written to less than 24h ago",
		"default exactly: remove: abandoned: last written to at 2026-11-20T12:00:00Z",
	}
	got := lines(rules.Policy{IngestAge: 24 * time.Hour})
	if diff := cmp.Diff(want, got[:len(got)-1]); diff != "" {
		t.Errorf("uploads (-want +got):\n%s", diff)
	}
	if last := got[len(got)-1]; !strings.HasPrefix(last, "default_history old: keep: this namespace holds build history") {
		t.Errorf("got %s", last)
	}
	if got := lines(rules.Policy{}); len(got) != 0 {
		t.Errorf("nobody asked for uploads, but %v", got)
	}
}
