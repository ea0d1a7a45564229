package disk

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"go.etcd.io/bbolt"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/root/boltcheck"
)

// A database that is written to all the time is copied as it was between two
// transactions: each of these writes the same number twice.
func TestCopyOfADatabaseInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), database)
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{NoSync: true})
	must(t, err)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	var first sync.WaitGroup
	first.Add(1)
	writer.Go(func() {
		for n := 0; ; n++ {
			write(t, db, n)
			if n == 0 {
				first.Done()
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	first.Wait()
	for range 100 {
		checkCopy(t, path)
	}
	close(stop)
	writer.Wait()
	must(t, db.Close())
}

func write(t *testing.T, db *bbolt.DB, n int) {
	err := db.Update(func(tx *bbolt.Tx) error {
		for _, name := range []string{"a", "b"} {
			bucket, err := tx.CreateBucketIfNotExists([]byte(name))
			if err != nil {
				return err
			}
			// Several pages, of which some become free each time.
			for key := range 200 {
				if err := bucket.Put(fmt.Append(nil, key), fmt.Append(nil, n, string(make([]byte, 100+n%50)))); err != nil {
					return err
				}
			}
			if err := bucket.Put([]byte("number"), fmt.Append(nil, n)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func checkCopy(t *testing.T, path string) {
	t.Helper()
	f, err := inMemory()
	must(t, err)
	defer func() { must(t, f.Close()) }()
	size, err := copyDatabase(t.Context(), f, path)
	must(t, err)
	must(t, boltcheck.Check(f, size))
	db, err := bbolt.Open(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), 0o600, &bbolt.Options{ReadOnly: true})
	must(t, err)
	must(t, db.View(func(tx *bbolt.Tx) error {
		a, b := tx.Bucket([]byte("a")).Get([]byte("number")), tx.Bucket([]byte("b")).Get([]byte("number"))
		if string(a) != string(b) {
			t.Errorf("the copy is of two transactions: %s and %s", a, b)
		}
		return nil
	}))
	must(t, db.Close())
}

func TestParseRecord(t *testing.T) {
	r, err := parseRecord("k8s.io/7/a/b", "overlayfs")
	want := record{id: inventory.SnapshotID{Namespace: "k8s.io", SnapshotKey: inventory.SnapshotKey{Snapshotter: "overlayfs", Key: "a/b"}}, number: 7}
	if err != nil || r != want {
		t.Errorf("%+v, %v", r, err)
	}
	for _, key := range []string{"", "a", "a/7", "a/x/b", "a/-1/b"} {
		if _, err := parseRecord(key, ""); err == nil {
			t.Errorf("%q is taken for a record", key)
		}
	}
}

// The size of a committed snapshot is in its record. That of another one is not,
// because it changes.
func TestRecordedSizes(t *testing.T) {
	dir := t.TempDir()
	ms, err := storage.NewMetaStore(filepath.Join(dir, database))
	must(t, err)
	must(t, ms.WithTransaction(t.Context(), true, func(ctx context.Context) error {
		for _, key := range []string{"test/1/base", "test/3/worker"} {
			if _, err := storage.CreateSnapshot(ctx, snapshots.KindActive, key, ""); err != nil {
				return err
			}
		}
		_, err := storage.CommitActive(ctx, "test/1/base", "test/2/sha256:base", snapshots.Usage{Size: 12_345})
		return err
	}))
	must(t, ms.Close())
	got := make(map[string]int64)
	must(t, eachSize(t.Context(), dir, "native", func(_ string, r record, _ snapshots.Kind, usage snapshots.Usage) { got[r.id.Key] = usage.Size }))
	if want := map[string]int64{"sha256:base": 12_345, "worker": -1}; !maps.Equal(got, want) {
		t.Errorf("sizes %v, want %v", got, want)
	}
}

// A file with several names is weighed once.
func TestWeigh(t *testing.T) {
	dir := t.TempDir()
	empty, err := Weigh(t.Context(), dir)
	must(t, err)
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, make([]byte, 100_000), 0o600))
	once, err := Weigh(t.Context(), dir)
	must(t, err)
	must(t, os.Link(file, filepath.Join(dir, "link")))
	twice, err := Weigh(t.Context(), dir)
	must(t, err)
	if once < empty+100_000 || twice != once {
		t.Errorf("empty %d, with a file %d, with two names %d", empty, once, twice)
	}
	if gone, err := Weigh(t.Context(), filepath.Join(dir, "absent")); gone != 0 || err != nil {
		t.Errorf("what is absent weighs %d, %v", gone, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
