package behaviour_test

import (
	"context"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/prune"
)

// fileLister is a store in which something happens before the blob files are
// listed.
type fileLister struct {
	prune.Store
	before func()
}

func (f fileLister) BlobFiles(ctx context.Context) (map[digest.Digest]struct{}, error) {
	f.before()
	return f.Store.BlobFiles(ctx)
}

// Who pulls an image again that a run has just removed does not make that run
// fail: blobs that came back are not left behind.
func TestImagePulledAgainWhileItIsMeasured(t *testing.T) {
	onDaemons(t, func(t *testing.T, s *subject) {
		img := s.added("docker.io/library/again:1", 2)
		gone := s.added("docker.io/library/gone:1", 1)
		s.ready()
		store := s.daemon.Open()
		defer store.Close()
		plan := planned(t, store)
		again := fileLister{store, func() { s.add(img) }}
		report, err := prune.Execute(s.ctx(), again, plan, prune.ExecuteOptions{Now: time.Now})
		s.must(err)
		doc, after := prune.ReportDocument(report), s.state()
		if doc.Reclaimed.Blobs != len(gone.Digests()) || len(doc.Errors) > 0 {
			t.Errorf("reclaimed %+v, want %d blobs; errors %+v", doc.Reclaimed, len(gone.Digests()), doc.Errors)
		}
		wantWhole(t, after.Files, img)
	})
}

func wantWhole(t *testing.T, files map[digest.Digest]int64, img *imagestore.Image) {
	t.Helper()
	for _, d := range img.Digests() {
		if _, ok := files[d]; !ok {
			t.Errorf("blob %s of %s is not on the disk", d, img.Name)
		}
	}
}
