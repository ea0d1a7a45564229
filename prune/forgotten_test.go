package prune

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"
)

// The file that the upload of a pull waits for is there for it, although no
// namespace knows its blob: containerd keeps it until the pull's lease ends, and
// nobody can repair that.
func TestFileThatAnUploadWaitsFor(t *testing.T) {
	for _, awaited := range []bool{false, true} {
		s := newScene(t, world{"default": {blob("a"), record("x:1", "a")}})
		path := s.store.layout.content + "/blobs/sha256/" + dig("left").Encoded()
		must(0, os.WriteFile(path, []byte(body("left")), 0o600))
		if awaited {
			s.add(lease("pull", expiring(time.Now().Add(time.Hour))))
			s.add(upload("layer-"+dig("left").String(), "left", leasedTo("pull")))
		}
		found := must(Check(context.Background(), s.store, time.Now(), CheckOptions{}))
		forgotten := slices.ContainsFunc(found, func(f Finding) bool { return f.Problem == ProblemForgotten })
		must(0, Repair(context.Background(), s.store, []Finding{{Problem: ProblemForgotten, Repairable: true}}, ExecuteOptions{Now: time.Now, Procfs: process(t, 1)}))
		_, err := os.Stat(path)
		if stays := err == nil; forgotten == awaited || stays != awaited {
			t.Errorf("awaited %v: found forgotten %v, stays after a repair %v: %+v", awaited, forgotten, stays, found)
		}
	}
}
