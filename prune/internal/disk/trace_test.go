package disk

import (
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// What a collection is just removing is not left; what stays as it is, is.
func TestLeft(t *testing.T) {
	id := inventory.SnapshotID{Namespace: "default", SnapshotKey: inventory.SnapshotKey{Snapshotter: "overlayfs", Key: "layer"}}
	for _, removed := range []bool{true, false} {
		dir := t.TempDir()
		path := filepath.Join(dir, "snapshots", "27")
		must(t, os.MkdirAll(path, 0o700))
		must(t, os.WriteFile(filepath.Join(path, "file"), make([]byte, 100_000), 0o600))
		trace := &Trace{
			snapshots: map[string]*Snapshots{"overlayfs": {Snapshotter: "overlayfs", Dir: dir, layout: layouts["overlayfs"]}},
			paths:     map[inventory.SnapshotID]string{id: path},
		}
		synctest.Test(t, func(t *testing.T) {
			if removed {
				time.AfterFunc(restPeriod/2, func() { _ = os.RemoveAll(path) })
			}
			left, err := trace.Left(t.Context(), []inventory.SnapshotID{id})
			must(t, err)
			if entry, is := left[id]; is == removed || is && (entry.Path != path || entry.Bytes < 100_000) {
				t.Errorf("removed %v: left %+v", removed, left)
			}
		})
	}
}
