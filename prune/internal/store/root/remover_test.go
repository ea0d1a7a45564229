package root

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	bolt "go.etcd.io/bbolt"
)

// rootTestChain fills a store with a chain of five snapshots below "top", and as
// many more below "side", which lease "l" holds. Nothing holds "kept" but itself.
func rootTestChain(db *metadata.DB) {
	lease := rootTestMust(metadata.NewLeaseManager(db).Create(rootTestNS, leases.WithID("l")))
	ctx := leases.WithLease(rootTestNS, lease.ID)
	sn := db.Snapshotter("native")
	for _, top := range []string{"top", "side"} {
		parent := ""
		for i := range 5 {
			name := fmt.Sprint(top, i)
			rootTestMust(sn.Prepare(ctx, name+"-extract", parent))
			rootTestMust(0, sn.Commit(ctx, name, name+"-extract"))
			parent = name
		}
		rootTestMust(sn.Prepare(ctx, top, parent))
	}
	root := snapshots.WithLabels(map[string]string{"containerd.io/gc.root": "yes"})
	rootTestMust(sn.Prepare(rootTestNS, "kept", "", root))
}

// rootTestRemover opens such a store, and returns its remover of native snapshots.
func rootTestRemover(t *testing.T) (*RootStore, *rootRemover) {
	t.Helper()
	rootTestNoLeaks(t)
	s := rootTestOpen(t, rootTestMake(t, rootTestChain)).(*RootStore)
	return s, s.guards[0].backend.(*rootRemover)
}

// keys are those of the records, in the database of the snapshotter.
func (r *rootRemover) keys(t *testing.T) (keys []string) {
	t.Helper()
	rootTestMust(0, r.Walk(t.Context(), func(_ context.Context, info snapshots.Info) error {
		keys = append(keys, info.Name)
		return nil
	}))
	return keys
}

func (r *rootRemover) dirs() []string {
	names := rootTestMust(rootNames(r.dir))
	slices.Sort(names)
	return names
}

// next is the number that the next transaction has: each that is committed adds 1.
func (r *rootRemover) next(t *testing.T) int {
	t.Helper()
	_, tx, err := r.ms.(*rootLent).ms.TransactionContext(t.Context(), true)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing was written
	return tx.(*bolt.Tx).ID()
}

func collect(s *RootStore) error {
	return s.Leases().Delete(rootTestNS, leases.Lease{ID: "l"}, leases.SynchronousDelete)
}

// A collection removes any number of snapshots in one transaction, and what a
// killed one has left.
func TestCollectionIsOneTransaction(t *testing.T) {
	s, r := rootTestRemover(t)
	for _, left := range []string{"rm-3", "new-77", "4711"} {
		rootTestMust(0, os.MkdirAll(filepath.Join(r.dir, left, "etc"), 0o700))
	}
	before := r.next(t)
	if err := collect(s); err != nil {
		t.Fatal(err)
	}
	if n := r.next(t) - before; n != 1 {
		t.Errorf("12 snapshots were removed in %d transactions", n)
	}
	if keys, dirs := r.keys(t), r.dirs(); len(keys) != 1 || len(dirs) != 1 {
		t.Errorf("records %q and directories %q are left", keys, dirs)
	}
}

// watchedStore looks at the commit of the snapshots that are removed.
type watchedStore struct {
	rootMetaStore
	commit func(storage.Transactor) error
	single error // of transactions of one call
}

type watchedTransaction struct {
	storage.Transactor
	commit func(storage.Transactor) error
}

func (w watchedTransaction) Commit() error { return w.commit(w.Transactor) }

func (w watchedStore) TransactionContext(ctx context.Context, writable bool) (context.Context, storage.Transactor, error) {
	ctx, tx, err := w.rootMetaStore.TransactionContext(ctx, writable)
	return ctx, watchedTransaction{tx, w.commit}, err
}

func (w watchedStore) WithTransaction(ctx context.Context, writable bool, fn storage.TransactionCallback) error {
	if writable && w.single != nil {
		return w.single
	}
	return w.rootMetaStore.WithTransaction(ctx, writable, fn)
}

var errTestFull = errors.New("the disk is full")

func failCommit(tx storage.Transactor) error { return errors.Join(errTestFull, tx.Rollback()) }

// No directory is removed before the transaction is on the disk.
func TestDirectoriesGoLast(t *testing.T) {
	s, r := rootTestRemover(t)
	before := r.dirs()
	r.ms = watchedStore{rootMetaStore: r.ms, commit: func(tx storage.Transactor) error {
		if diff := cmp.Diff(before, r.dirs()); diff != "" {
			t.Errorf("directories before the commit (-want +got):\n%s", diff)
		}
		return tx.Commit()
	}}
	if err := collect(s); err != nil {
		t.Fatal(err)
	}
	if dirs := r.dirs(); len(dirs) != 1 {
		t.Errorf("directories %q are left", dirs)
	}
}

// Where the disk has no room for the one transaction, the snapshots go one by one.
func TestCommitThatFails(t *testing.T) {
	s, r := rootTestRemover(t)
	r.ms = watchedStore{rootMetaStore: r.ms, commit: failCommit}
	if err := collect(s); err != nil {
		t.Fatal(err)
	}
	if keys, dirs := r.keys(t), r.dirs(); len(keys) != 1 || len(dirs) != 1 {
		t.Errorf("records %q and directories %q are left", keys, dirs)
	}
}

// If that does not work either, all snapshots keep their files.
func TestNothingCanBeCommitted(t *testing.T) {
	s, r := rootTestRemover(t)
	keys, dirs := r.keys(t), r.dirs()
	r.ms = watchedStore{rootMetaStore: r.ms, commit: failCommit, single: errTestFull}
	if err := collect(s); err != nil {
		t.Fatal(err) // a collection goes on after what a snapshotter says
	}
	if diff := cmp.Diff(keys, r.keys(t)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(dirs, r.dirs()); diff != "" {
		t.Errorf("directories (-want +got):\n%s", diff)
	}
}

// A collection that gives up at a snapshot does not call Cleanup: what it removed
// until then is committed all the same, and its directories go.
func TestCollectionThatGivesUp(t *testing.T) {
	_, r := rootTestRemover(t)
	keys := r.keys(t)
	top := keys[slices.IndexFunc(keys, func(key string) bool { return strings.HasSuffix(key, "/top") })]
	bottom := keys[slices.IndexFunc(keys, func(key string) bool { return strings.HasSuffix(key, "/top0") })]
	ctx := t.Context()
	if err := r.Remove(ctx, top); err != nil {
		t.Fatal(err)
	}
	if err := r.Remove(ctx, "nobody's"); !errdefs.IsNotFound(err) {
		t.Errorf("an unknown snapshot: %v", err)
	}
	if err := r.Remove(ctx, bottom); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("a snapshot that others stand on: %v", err)
	}
	if err := r.finish(ctx); err != nil {
		t.Fatal(err)
	}
	if left, dirs := r.keys(t), r.dirs(); len(left) != len(keys)-1 || len(dirs) != len(left) || slices.Contains(left, top) {
		t.Errorf("records %q and directories %q are left", left, dirs)
	}
}

// Nobody but a collection removes snapshots, but they can be made before one and
// after it.
func TestNativeMakesSnapshots(t *testing.T) {
	s, _ := rootTestRemover(t)
	sn := s.Snapshotter("native")
	create := func(name, parent string) {
		t.Helper()
		rootTestMust(sn.Prepare(rootTestNS, name+"-extract", parent))
		rootTestMust(0, sn.Commit(rootTestNS, name, name+"-extract"))
		rootTestMust(sn.View(rootTestNS, name+"-view", name))
		mounts := rootTestMust(sn.Mounts(rootTestNS, name+"-view"))
		if _, err := os.Stat(mounts[0].Source); err != nil {
			t.Error(err)
		}
		if info := rootTestMust(sn.Stat(rootTestNS, name)); info.Parent != parent {
			t.Errorf("%s stands on %q", name, info.Parent)
		}
		label := snapshots.Info{Name: name, Labels: map[string]string{"containerd.io/gc.root": "yes"}}
		rootTestMust(sn.Update(rootTestNS, label))
	}
	create("before", "side4")
	if err := collect(s); err != nil {
		t.Fatal(err)
	}
	create("after", "before")
}
