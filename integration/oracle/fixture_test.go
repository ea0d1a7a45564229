package oracle_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// fixture is a store in process, with one of everything the oracle looks at.
type fixture struct {
	imagestore.Store
	t        *testing.T
	embedded *imagestore.Embedded

	base, app, byID, stood, noted, history, index, other *imagestore.Image
}

// newFixture opens a copy of a store that is created only once, because
// creating it takes a hundred times longer: many small writes reach the disk.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(template(t))); err != nil {
		t.Fatal(err)
	}
	f := describe(t)
	f.open(dir)
	t.Cleanup(f.close)
	return f
}

// templateDir is the store that newFixture copies; TestMain removes it.
var templateDir string

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(templateDir)
	os.Exit(code)
}

func template(t *testing.T) string {
	t.Helper()
	if templateDir == "" {
		dir, err := os.MkdirTemp("", "oracle")
		if err != nil {
			t.Fatal(err)
		}
		templateDir = dir
		f := describe(t)
		f.open(dir)
		f.fill()
		f.close()
	}
	return templateDir
}

// describe makes the images. The same seed makes the same ones each time.
func describe(t *testing.T) *fixture {
	f := &fixture{t: t}
	b := imagestore.New(1)
	f.base = b.Image(imagestore.Spec{Name: "base:1", Layers: 2})
	f.app = b.Image(imagestore.Spec{Name: "app:1", Base: f.base, Layers: 1})
	f.byID = b.Image(imagestore.Spec{Name: "by-id:1"})
	f.stood = b.Image(imagestore.Spec{Name: "stood-on:1"})
	f.noted = b.Image(imagestore.Spec{Name: "noted:1"})
	f.history = b.Image(imagestore.Spec{Name: "history:1", Layers: 2})
	f.other = b.Image(imagestore.Spec{Name: "leased:1"})
	f.index = b.Index(imagestore.IndexSpec{
		Name:      "index:1",
		Manifests: []*imagestore.Image{b.Image(imagestore.Spec{})},
		Attest:    true,
	})
	return f
}

func (f *fixture) open(dir string) {
	f.t.Helper()
	e, err := imagestore.OpenEmbedded(f.t.Context(), dir, "native")
	f.must(err)
	f.embedded, f.Store = e, e.Store("default")
}

func (f *fixture) close() {
	if err := f.embedded.Close(); err != nil {
		f.t.Error(err)
	}
}

func (f *fixture) fill() {
	f.t.Helper()
	ctx := f.t.Context()
	for _, img := range []*imagestore.Image{f.base, f.app, f.byID, f.stood, f.history, f.index} {
		f.must(f.Add(ctx, img))
	}
	f.must(f.Container(ctx, imagestore.ContainerSpec{ID: "named", Image: "app:1", Of: f.app}))
	f.must(f.Container(ctx, imagestore.ContainerSpec{ID: "by-id", Image: f.byID.Config.Desc.Digest.String()}))
	f.must(f.Container(ctx, imagestore.ContainerSpec{ID: "stands", Image: "never:1", Of: f.stood}))
	f.must(f.Add(ctx, f.noted))
	f.must(f.Container(ctx, imagestore.ContainerSpec{ID: "noted", Image: "never:2",
		Labels: map[string]string{"nerdctl/image-digest": f.noted.Target.Digest.String()}}))
	f.must(f.HistoryLease(ctx, "history", f.history))
	f.must(f.PullLease(ctx, "pull", time.Now().Add(time.Hour), f.other))
	_, err := f.Ingest(ctx, "upload", []byte("half of this is there"))
	f.must(err)
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) capture() *oracle.State {
	f.t.Helper()
	s, err := f.embedded.Capture(f.t.Context())
	f.must(err)
	return s
}

func (f *fixture) ctx() context.Context { return f.Context(f.t.Context()) }

// Things that a pruner must not do.

func (f *fixture) deleteBlob(b imagestore.Blob) {
	f.t.Helper()
	f.must(f.Client.ContentStore().Delete(f.ctx(), b.Desc.Digest))
}

func (f *fixture) deleteSnapshot(key string) {
	f.t.Helper()
	f.must(f.Client.SnapshotService(f.Snapshotter).Remove(f.ctx(), key))
}

func (f *fixture) untag(names ...string) {
	f.t.Helper()
	f.must(f.Untag(f.t.Context(), names...))
}

func (f *fixture) collect() {
	f.t.Helper()
	f.must(f.Collect(f.t.Context()))
}
