package prune

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
)

func TestAbandonedUploads(t *testing.T) {
	old, young := created(noon.Add(-48*time.Hour)), created(noon.Add(-time.Hour))
	soon := expiring(noon.Add(time.Hour))
	w := world{
		"default": {
			upload("old", "", old), upload("young", "", young), upload("old, written to", "", old, updated(noon.Add(-time.Minute))),
			upload("leased", "", old), lease("pull", soon, holding(theUpload("leased"))),
			upload("leased once", "", old), lease("gone", expiring(noon.Add(-time.Hour)), holding(theUpload("leased once"))),
			upload("future", "", created(noon.Add(time.Hour))), upload("exactly", "", created(noon.Add(-24*time.Hour))),
		},
		"default_history": {upload("old", "", old)},
	}
	inv := w.inventory()
	for _, ns := range inv.Namespaces {
		for i := range ns.Ingests {
			if ns.Ingests[i].UpdatedAt.Equal(monthAgo) {
				ns.Ingests[i].UpdatedAt = ns.Ingests[i].StartedAt
			}
		}
	}
	lines := func(policy rules.Policy) (lines []string) {
		policy.AllNamespaces, policy.Filters = true, all()
		for _, u := range must(plan.NewPlan(inv, policy, noon)).Uploads {
			lines = append(lines, fmt.Sprintf("%s %s: %s: %s", u.Namespace, u.Ref, u.Action, u.Reason))
		}
		return lines
	}
	want := []string{
		"default old: remove: abandoned: last written to at 2026-11-19T12:00:00Z",
		"default young: keep: last written to less than 24h0m0s ago",
		"default old, written to: keep: last written to less than 24h0m0s ago",
		`default leased: keep: held by lease "pull"`,
		"default leased once: remove: abandoned: last written to at 2026-11-19T12:00:00Z",
		"default future: keep: last written to less than 24h0m0s ago",
		"default exactly: remove: abandoned: last written to at 2026-11-20T12:00:00Z",
	}
	got := lines(rules.Policy{IngestAge: 24 * time.Hour})
	if diff := cmp.Diff(want, got[:len(got)-1]); diff != "" {
		t.Errorf("uploads (-want +got):\n%s", diff)
	}
	if last := got[len(got)-1]; !strings.HasPrefix(last, "default_history old: keep: build history") {
		t.Errorf("got %s", last)
	}
	if got := lines(rules.Policy{}); len(got) != 0 {
		t.Errorf("nobody asked for uploads, but %v", got)
	}
}

// What is written to after the plan is left alone.
func TestUploadThatGoesOn(t *testing.T) {
	s := newScene(t, world{"default": {upload("u", "")}})
	policy := rules.Policy{AllNamespaces: true, Filters: all(), IngestAge: 1}
	now := time.Now()
	plan := must(flow.ReadPlan(context.Background(), s.store, policy, now, read.ReadOptions{}))
	if len(plan.Uploads) != 1 || plan.Uploads[0].Action != rules.Remove {
		t.Fatalf("uploads %+v", plan.Uploads)
	}
	plan.Uploads[0].Bytes = 5 // as if something had been taken away, or added, since
	report, err := run.Execute(context.Background(), plan, s.tape, run.ExecuteOptions{Now: time.Now})
	if err == nil || !strings.Contains(err.Error(), "written to since") || len(report.Aborted) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := s.store.Content().Status(s.ctx, "u"); err != nil {
		t.Errorf("the upload is gone: %v", err)
	}
}
