package disk

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// seen is a store whose snapshotters all have one directory.
type seen struct {
	store.Store
	dir string
}

func (s seen) Abilities() store.Abilities { return store.Abilities{Dirs: s} }

func (s seen) SnapshotterDir(context.Context, string) (string, error) { return s.dir, nil }

// recorded makes the database of a snapshotter with committed snapshots of 100, 200
// bytes and so on, and their entries, but for the last one. It returns the paths of
// the entries.
func recorded(t *testing.T, dir string, keys ...string) (paths []string) {
	t.Helper()
	ms, err := storage.NewMetaStore(filepath.Join(dir, database))
	must(t, err)
	must(t, ms.WithTransaction(t.Context(), true, func(ctx context.Context) error {
		for i, key := range keys {
			s, err := storage.CreateSnapshot(ctx, snapshots.KindActive, "new", "")
			if err != nil {
				return err
			}
			if _, err := storage.CommitActive(ctx, "new", key, snapshots.Usage{Size: int64(100 * (i + 1))}); err != nil {
				return err
			}
			paths = append(paths, filepath.Join(dir, "snapshots", s.ID))
		}
		return nil
	}))
	must(t, ms.Close())
	for _, path := range paths[:len(paths)-1] {
		must(t, os.MkdirAll(path, 0o700))
	}
	return paths
}

// Of several records of one key the newest counts that has an entry; what is not
// asked for, and what has no entry, is left out.
func TestSizesOfSnapshots(t *testing.T) {
	dir := t.TempDir()
	recorded(t, dir, "test/1/a", "test/2/b", "test/3/again", "test/10/again", "test/11/unasked", "test/12/lost")
	id := func(key string) inventory.SnapshotID {
		return inventory.SnapshotID{Namespace: "test", SnapshotKey: inventory.SnapshotKey{Snapshotter: "native", Key: key}}
	}
	sizes, err := NewSizes(t.Context(), seen{dir: dir}, []inventory.SnapshotID{id("a"), id("again"), id("b"), id("lost"), id("none")})
	must(t, err)
	for key, want := range map[string]int64{"a": 100, "b": 200, "again": 400, "lost": -1, "none": -1, "unasked": -1} {
		if bytes := sizes.Recorded([]inventory.SnapshotID{id(key)}); bytes[0] != want {
			t.Errorf("%s has %d bytes, want %d", key, bytes[0], want)
		}
	}
}

// Of overlayfs, the directories of an entry count, and those below its work directory
// where a container ran: bytes and inodes, also when only one snapshot is asked about.
func TestOwnDirectories(t *testing.T) {
	dir := t.TempDir()
	paths := recorded(t, dir, "test/1/ran", "test/2/unpacked", "test/3/bare", "test/4/lost")
	must(t, os.MkdirAll(filepath.Join(paths[0], "work", "work"), 0o700))
	must(t, os.MkdirAll(filepath.Join(paths[1], "work"), 0o700))
	for i, c := range []struct {
		key    string
		files  int64
		exists []string
	}{{"ran", 3, []string{"", "work", "work/work"}}, {"unpacked", 2, []string{"", "work"}}, {"bare", 1, []string{""}}, {"lost", 0, nil}} {
		id := inventory.SnapshotID{Namespace: "test", SnapshotKey: inventory.SnapshotKey{Snapshotter: "overlayfs", Key: c.key}}
		want := int64(100 * (i + 1))
		for _, name := range c.exists {
			var info unix.Stat_t
			must(t, unix.Lstat(filepath.Join(paths[i], name), &info))
			want += info.Blocks * blockSize
		}
		for _, lookedBefore := range []bool{false, true} {
			sizes, err := NewSizes(t.Context(), seen{dir: dir}, []inventory.SnapshotID{id})
			must(t, err)
			if lookedBefore {
				sizes.Look(func(string) bool { return true })
			}
			if bytes, inodes := sizes.Of(id, int64(100*(i+1))), sizes.Inodes(id, 7); bytes != want || inodes != 7+c.files {
				t.Errorf("%s: %d bytes and %d inodes, want %d and %d", c.key, bytes, inodes, want, 7+c.files)
			}
			if bytes := sizes.Recorded([]inventory.SnapshotID{id})[0]; bytes != want && c.files > 0 {
				t.Errorf("%s: %d bytes are recorded, want %d", c.key, bytes, want)
			}
		}
	}
}

// All entries are known only if each is of a snapshot that containerd has.
func TestAllEntriesAreKnown(t *testing.T) {
	for name, change := range map[string]func(inv *inventory.Namespace, paths []string){
		"": func(*inventory.Namespace, []string) {},
		"no snapshot of it": func(ns *inventory.Namespace, _ []string) {
			delete(ns.Snapshots, inventory.SnapshotKey{Snapshotter: "native", Key: "b"})
		},
		"no record": func(_ *inventory.Namespace, paths []string) {
			must(t, os.Mkdir(filepath.Join(filepath.Dir(paths[0]), "77"), 0o700))
		},
		"being made": func(_ *inventory.Namespace, paths []string) {
			must(t, os.Mkdir(filepath.Join(filepath.Dir(paths[0]), temporary+"1"), 0o700))
		},
		"an entry is missing": func(_ *inventory.Namespace, paths []string) { must(t, os.Remove(paths[0])) },
	} {
		dir := t.TempDir()
		paths := recorded(t, dir, "test/1/a", "test/2/b", "test/3/lost")
		ns := &inventory.Namespace{Name: "test", Snapshots: make(map[inventory.SnapshotKey]inventory.Snapshot)}
		for _, key := range []string{"a", "b", "lost"} {
			ns.Snapshots[inventory.SnapshotKey{Snapshotter: "native", Key: key}] = inventory.Snapshot{}
		}
		change(ns, paths)
		inv := &inventory.Inventory{Namespaces: []*inventory.Namespace{ns}}
		sizes, err := NewSizes(t.Context(), seen{dir: dir}, inv.SortedSnapshots())
		must(t, err)
		if got, want := sizes.OnlyThese("native"), name == "" || name == "an entry is missing"; got != want {
			t.Errorf("%q: all are known: %v", name, got)
		}
	}
}
