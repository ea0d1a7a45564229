package run_test

import (
	"context"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A run that removed nothing has nothing to keep: it collects, and leaves
// nothing of its own.
func TestGraceOfNothing(t *testing.T) {
	s := tw.NewScene(t, tw.World{"default": {tw.Blob("a"), tw.Blob("b", tw.GCRoot())}})
	procfs := tw.Process(t, 1)
	plan := s.Plan(procfs)
	report, err := run.Execute(context.Background(), plan, s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs, Grace: time.Hour})
	if err != nil || report.Garbage.Blobs != 1 || len(report.Untagged) != 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if files := tw.Must(s.Store.BlobFiles(context.Background())); len(files) != 1 || s.HasBlob("a") {
		t.Errorf("left %v", files)
	}
	tw.CheckNothingOfOurs(t, s.Store)
}
