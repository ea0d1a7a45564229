package prune

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// The file that the upload of a pull waits for is there for it, although no
// namespace knows its blob: containerd keeps it until the pull's lease ends, and
// nobody can repair that.
func TestFileThatAnUploadWaitsFor(t *testing.T) {
	for _, awaited := range []bool{false, true} {
		s := newScene(t, world{"default": {blob("a"), record("x:1", "a")}})
		path := s.store.Layout.Content + "/blobs/sha256/" + dig("left").Encoded()
		must(0, os.WriteFile(path, []byte(body("left")), 0o600))
		if awaited {
			s.add(lease("pull", expiring(time.Now().Add(time.Hour))))
			s.add(upload("layer-"+dig("left").String(), "left", leasedTo("pull")))
		}
		found := must(check.Check(context.Background(), s.store, time.Now(), check.CheckOptions{}))
		forgotten := slices.ContainsFunc(found, func(f check.Finding) bool { return f.Problem == check.ProblemForgotten })
		must(check.Repair(context.Background(), s.store, []check.Finding{{Problem: check.ProblemForgotten, Repairable: true}}, run.ExecuteOptions{Now: time.Now, Procfs: process(t, 1)}))
		_, err := os.Stat(path)
		if stays := err == nil; forgotten == awaited || stays != awaited {
			t.Errorf("awaited %v: found forgotten %v, stays after a repair %v: %+v", awaited, forgotten, stays, found)
		}
	}
}

// A run neither counts such a file as freed nor takes it for one that could not
// be removed, whether the pull began before the plan or after.
func TestRemovedBlobThatAnUploadWaitsFor(t *testing.T) {
	begin := func(s *scene) {
		ctx := store.InNamespace(s.ctx, "other")
		must(0, lease("pull", expiring(time.Now().Add(time.Hour))).create(ctx, s.store))
		must(0, upload("layer-"+dig("a").String(), "a", leasedTo("pull")).create(ctx, s.store))
	}
	for _, early := range []bool{false, true} {
		s := newScene(t, world{"default": {blob("a"), blob("b"), record("x:1", "a"), record("y:1", "b")}, "other": {}})
		if early {
			begin(s)
		}
		plan := s.plan(process(t, 1))
		s.tape.before = on("write", func() error {
			if !early {
				begin(s)
			}
			return nil
		})
		report, err := run.Execute(context.Background(), plan, s.tape, run.ExecuteOptions{Now: time.Now, Procfs: process(t, 1)})
		if err != nil || len(report.Untagged) != 2 || report.Reclaimed.Blobs != 1 || (plan.Predicted() == report.Reclaimed) != early {
			t.Errorf("early %v: predicted %+v, reclaimed %+v, untagged %v, %v", early, plan.Predicted(), report.Reclaimed, report.Untagged, err)
		}
		told := strings.Join(report.Changes, "; ")
		for _, held := range report.Held {
			told += held.Holder
		}
		if !strings.Contains(told, "upload in progress") || !strings.Contains(told, `in namespace "other"`) {
			t.Errorf("early %v: nothing tells of the upload: %q", early, told)
		}
	}
}
