package oracle_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// check is one function of the oracle, to be named in a table.
type check func(before, after *oracle.State) error

func reachable(before, after *oracle.State) error { return oracle.CheckReachable(before, after) }

func reachableButOrphans(before, after *oracle.State) error {
	return oracle.CheckReachable(before, after, oracle.AllowOrphanedSnapshots())
}

func untouched(before, after *oracle.State) error { return oracle.CheckUntouched(before, after) }

func top(img *imagestore.Image) string {
	chain := img.ChainIDs()
	return chain[len(chain)-1]
}

func TestPlantedLossesAreFound(t *testing.T) {
	tests := []struct {
		name  string
		plant func(f *fixture)
		check check
		want  string
	}{
		{"a layer of a record", func(f *fixture) { f.deleteBlob(f.app.Layers[2].Blob) }, oracle.CheckComplete, "lost blob"},
		{"the same, by labels", func(f *fixture) { f.deleteBlob(f.app.Layers[2].Blob) }, reachable, "lost content"},
		{"a config", func(f *fixture) { f.deleteBlob(f.app.Config) }, oracle.CheckComplete, "lost blob"},
		{"a layer below an index", func(f *fixture) { f.deleteBlob(f.index.Children[0].Layers[0].Blob) }, oracle.CheckComplete, "index:1"},
		{"an attestation below an index", func(f *fixture) { f.deleteBlob(f.index.Children[1].Layers[0].Blob) }, oracle.CheckComplete, "index:1"},
		{"an unpacked snapshot", func(f *fixture) { f.deleteSnapshot(top(f.byID)) }, oracle.CheckComplete, "lost snapshot"},
		{"the same, by labels", func(f *fixture) { f.deleteSnapshot(top(f.byID)) }, reachable, "lost snapshot"},
		{"a file on disk", (*fixture).removeFile, oracle.CheckComplete, "is gone"},
		{"half a file on disk", (*fixture).truncateFile, oracle.CheckComplete, "bytes on disk"},
		{"the record a container names", func(f *fixture) { f.untag("app:1") }, oracle.CheckContainers, "lost its image's name"},
		{"the last record of a container's image ID", func(f *fixture) { f.untag("by-id:1") }, oracle.CheckContainers, "no record"},
		{"the last record below a container", func(f *fixture) { f.untag("stood-on:1") }, oracle.CheckContainers, "no record"},
		{"the last record of an image that nerdctl notes", func(f *fixture) { f.untag("noted:1") }, oracle.CheckContainers, "no record"},
		{"a container's own snapshot", func(f *fixture) { f.deleteSnapshot("stands") }, oracle.CheckContainers, "lost snapshot"},
		{"the same, by labels", func(f *fixture) { f.deleteSnapshot("stands") }, reachable, "lost snapshot"},
		{"content of a live lease", func(f *fixture) { f.deleteBlob(f.other.Layers[0].Blob) }, reachable, "lost content"},
		{"an upload", (*fixture).abortUpload, untouched, "upload upload is gone"},
		{"a lease", func(f *fixture) { f.must(f.DropLease(f.t.Context(), "pull", false)) }, untouched, "lease pull is gone"},
		{"a container", func(f *fixture) { f.must(f.RemoveContainer(f.t.Context(), "stands")) }, untouched, "container stands is gone"},
		{"snapshots of a config that a record reaches", func(f *fixture) { f.deleteSnapshot(top(f.history)) }, reachableButOrphans, "lost snapshot"},
		{"snapshots of a config that a lease holds", func(f *fixture) { f.untag("history:1"); f.deleteSnapshot(top(f.history)) }, reachable, "lost snapshot"},
		{"snapshots of a config that an unknown client holds", func(f *fixture) {
			f.untag("history:1")
			f.deleteSnapshot(top(f.history))
			f.must(f.DropLease(f.t.Context(), imagestore.HistoryID("history"), false))
			f.must(f.Lease(f.t.Context(), imagestore.LeaseSpec{ID: "ref_mine", Resources: []leases.Resource{imagestore.ContentResource(f.history.Config.Desc.Digest)}}))
		}, reachableButOrphans, "lost snapshot"},
		{"the blob of a config that a lease holds", func(f *fixture) { f.untag("history:1"); f.deleteBlob(f.history.Config) }, reachableButOrphans, "lost content"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			before := f.capture()
			tt.plant(f)
			err := tt.check(before, f.capture())
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("found %v, want a finding with %q", err, tt.want)
			}
		})
	}
}

// A record whose time is over is collected when what it hangs on goes, and only
// then.
func TestCollectibleIsWhatACollectionTakes(t *testing.T) {
	f := newFixture(t)
	tie := map[string]string{"containerd.io/gc.expire": time.Now().Add(-time.Hour).Format(time.RFC3339), "containerd.io/gc.bref.image": "base:1"}
	for _, name := range []string{"app:1", "history:1"} {
		f.must(f.Label(t.Context(), name, tie))
	}
	f.must(f.Lease(t.Context(), imagestore.LeaseSpec{ID: "flat", Flat: true, Resources: []leases.Resource{{Type: "images", ID: "history:1"}}}))
	if found := f.capture().Collectible(); len(found) > 0 {
		t.Errorf("tied to what is there, but collectible: %v", found)
	}
	f.untag("base:1")
	before := f.capture()
	if d := cmp.Diff(map[string][]string{"default": {"app:1"}}, before.Collectible()); d != "" {
		t.Errorf("collectible (-want +got):\n%s", d)
	}
	f.collect()
	if d := cmp.Diff([]string{"default image app:1"}, imagesOf(oracle.Diff(before, f.capture()).Removed)); d != "" {
		t.Errorf("a collection took (-want +got):\n%s", d)
	}
}

func imagesOf(changes []string) []string {
	return slices.DeleteFunc(changes, func(c string) bool { return !strings.Contains(c, " image ") })
}

func (f *fixture) blobPath() string {
	d := f.app.Layers[2].Desc.Digest
	return filepath.Join(f.embedded.Root(), "io.containerd.content.v1.content", "blobs", "sha256", d.Encoded())
}

func (f *fixture) removeFile()   { f.must(os.Remove(f.blobPath())) }
func (f *fixture) truncateFile() { f.must(os.Truncate(f.blobPath(), 1)) }

func (f *fixture) abortUpload() { f.must(f.Client.ContentStore().Abort(f.ctx(), "upload")) }

func TestHarmlessChangesPass(t *testing.T) {
	tests := []struct {
		name   string
		change func(f *fixture)
		opts   []oracle.Option
	}{
		{"nothing", func(*fixture) {}, nil},
		{"an unused record, its blobs and snapshots", func(f *fixture) { f.untag("index:1"); f.collect() }, nil},
		{"the base's record, its layers being shared", func(f *fixture) { f.untag("base:1"); f.collect() }, nil},
		{"a second name of an image in use", func(f *fixture) {
			f.must(f.Tag(f.t.Context(), "app:1", "app:2"))
			f.untag("app:2")
			f.collect()
		}, nil},
		{"a stand-in for a record in use by ID", func(f *fixture) {
			f.must(f.Tag(f.t.Context(), "by-id:1", imagestore.NoneDangling(f.byID.Target.Digest)))
			f.untag("by-id:1")
			f.collect()
		}, nil},
		{"snapshots of an orphan that a lease holds", func(f *fixture) {
			f.untag("history:1")
			f.deleteSnapshot(top(f.history))
			f.collect()
		}, []oracle.Option{oracle.AllowOrphanedSnapshots()}},
		{"a lease and what it held", func(f *fixture) {
			f.must(f.DropLease(f.t.Context(), "pull", true))
		}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			before := f.capture()
			tt.change(f)
			if err := oracle.Check(before, f.capture(), tt.opts...); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDiskFreedCountsFilesThatAreGone(t *testing.T) {
	f := newFixture(t)
	before := f.capture()
	f.untag("index:1", "base:1") // the base's layers stay: app:1 has them
	f.collect()
	want := f.base.Target.Size + f.base.Config.Desc.Size
	for _, b := range f.index.Blobs() {
		want += int64(len(b.Data))
	}
	if got := oracle.DiskFreed(before, f.capture()); got != want {
		t.Errorf("DiskFreed = %d, want %d", got, want)
	}
}

func TestDiffNamesWhatChanged(t *testing.T) {
	f := newFixture(t)
	before := f.capture()
	f.must(f.Pin(t.Context(), "app:1"))
	f.must(f.Tag(t.Context(), "base:1", "base:2"))
	f.untag("base:1")
	want := oracle.Changes{
		Added:   []string{"default image base:2"},
		Removed: []string{"default image base:1"},
		Changed: []string{"default image app:1"},
	}
	if d := cmp.Diff(want, oracle.Diff(before, f.capture())); d != "" {
		t.Errorf("Diff (-want +got):\n%s", d)
	}
}

func TestDifferencesAreOfObjectsAndFiles(t *testing.T) {
	f := newFixture(t)
	before := f.capture()
	if d := oracle.Differences(before, f.capture()); d != "" {
		t.Errorf("nothing has changed, and still:\n%s", d)
	}
	f.must(f.Pin(t.Context(), "app:1"))
	f.must(f.Tag(t.Context(), "base:1", "base:2"))
	f.untag("base:1")
	f.removeFile()
	want := "gone: default image base:1\nnew: default image base:2\nchanged: default image app:1\n" +
		"other file: " + f.app.Layers[2].Desc.Digest.String() + "\n"
	if d := cmp.Diff(want, oracle.Differences(before, f.capture())); d != "" {
		t.Errorf("differences (-want +got):\n%s", d)
	}
}
