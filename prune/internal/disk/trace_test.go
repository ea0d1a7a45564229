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

// A collection removes the files of many snapshots in turn: those that come last are
// not left as long as it removes others.
func TestLeftToTheEndOfACollection(t *testing.T) {
	id := inventory.SnapshotID{Namespace: "default", SnapshotKey: inventory.SnapshotKey{Snapshotter: "overlayfs", Key: "layer"}}
	dir := t.TempDir()
	entry := func(name string) string {
		path := filepath.Join(dir, "snapshots", name)
		must(t, os.MkdirAll(path, 0o700))
		must(t, os.WriteFile(filepath.Join(path, "file"), make([]byte, 100_000), 0o600))
		return path
	}
	last := entry("27")
	var turns []string
	for _, name := range []string{"1", "2", "3", "4", "5"} {
		turns = append(turns, entry(name))
	}
	trace := &Trace{
		snapshots: map[string]*Snapshots{"overlayfs": {Snapshotter: "overlayfs", Dir: dir, layout: layouts["overlayfs"]}},
		paths:     map[inventory.SnapshotID]string{id: last},
	}
	synctest.Test(t, func(t *testing.T) {
		for i, path := range append(turns, last) {
			time.AfterFunc(time.Duration(2*i+2)*restPeriod+restPeriod/2, func() { _ = os.RemoveAll(path) })
		}
		left, err := trace.Left(t.Context(), []inventory.SnapshotID{id})
		must(t, err)
		if len(left) > 0 {
			t.Errorf("left %+v", left)
		}
	})
}
