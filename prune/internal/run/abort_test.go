package run_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// What is written to after the plan is left alone.
func TestUploadThatGoesOn(t *testing.T) {
	s := tw.NewScene(t, tw.World{"default": {tw.Upload("u", "")}})
	policy := rules.Policy{AllNamespaces: true, Filters: tw.All(), IngestAge: 1}
	now := time.Now()
	plan := tw.Must(flow.ReadPlan(context.Background(), s.Store, policy, now, read.ReadOptions{}))
	if len(plan.Uploads) != 1 || plan.Uploads[0].Action != rules.Remove {
		t.Fatalf("uploads %+v", plan.Uploads)
	}
	plan.Uploads[0].Bytes = 5 // as if something had been taken away, or added, since
	report, err := run.Execute(context.Background(), plan, s.Tape, run.ExecuteOptions{Now: time.Now})
	if err == nil || !strings.Contains(err.Error(), "written to since") || len(report.Aborted) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := s.Store.Content().Status(s.Ctx, "u"); err != nil {
		t.Errorf("the upload is gone: %v", err)
	}
}
