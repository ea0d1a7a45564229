package check_test

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// The file that the upload of a pull waits for is there for it, although no
// namespace knows its blob: containerd keeps it until the pull's lease ends, and
// nobody can repair that.
func TestFileThatAnUploadWaitsFor(t *testing.T) {
	for _, awaited := range []bool{false, true} {
		s := tw.NewScene(t, tw.World{"default": {tw.Blob("a"), tw.Record("x:1", "a")}})
		path := s.Store.Layout.Content + "/blobs/sha256/" + tw.Digest("left").Encoded()
		tw.Must(0, os.WriteFile(path, []byte(tw.Body("left")), 0o600))
		if awaited {
			s.Add(tw.Lease("pull", tw.Expiring(time.Now().Add(time.Hour))))
			s.Add(tw.Upload("layer-"+tw.Digest("left").String(), "left", tw.LeasedTo("pull")))
		}
		found := tw.Must(check.Check(context.Background(), s.Store, time.Now(), check.CheckOptions{})).Findings
		forgotten := slices.ContainsFunc(found, func(f check.Finding) bool { return f.Problem == check.ProblemForgotten })
		tw.Must(check.Repair(context.Background(), s.Store, []check.Finding{{Problem: check.ProblemForgotten, Repairable: true}}, run.ExecuteOptions{Now: time.Now, Procfs: tw.Process(t, 1)}))
		_, err := os.Stat(path)
		if stays := err == nil; forgotten == awaited || stays != awaited {
			t.Errorf("awaited %v: found forgotten %v, stays after a repair %v: %+v", awaited, forgotten, stays, found)
		}
	}
}
