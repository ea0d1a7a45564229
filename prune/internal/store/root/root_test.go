package root

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"

	bolt "go.etcd.io/bbolt"
)

func rootTestOpen(t *testing.T, dir string) store.Store {
	t.Helper()
	s, err := OpenRoot(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// rootTestBlobs returns what Walk lists and what lies on the disk.
func rootTestBlobs(t *testing.T, s store.Store) (listed, files map[digest.Digest]struct{}) {
	t.Helper()
	listed = map[digest.Digest]struct{}{}
	err := s.Content().Walk(rootTestNS, func(i content.Info) error {
		listed[i.Digest] = struct{}{}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return listed, rootTestMust(s.BlobFiles(rootTestNS))
}

func rootTestSnapshots(t *testing.T, s store.Store) []string {
	t.Helper()
	names := []string{}
	err := s.Snapshotter("native").Walk(rootTestNS, func(_ context.Context, i snapshots.Info) error {
		names = append(names, i.Name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func digestSet(texts ...string) map[digest.Digest]struct{} {
	set := map[digest.Digest]struct{}{}
	for _, t := range texts {
		set[digest.FromString(t)] = struct{}{}
	}
	return set
}

func TestOpenRootLists(t *testing.T) {
	rootTestNoLeaks(t)
	dir := rootTestMake(t, rootTestSmall)
	s := rootTestOpen(t, dir)

	info := rootTestMust(s.Info(rootTestNS))
	if info.ID == "" || !strings.HasPrefix(info.Version, "2.") {
		t.Errorf("Info() = %+v, want an ID and containerd's version", info)
	}
	info.ID, info.Version = "", ""
	want := store.StoreInfo{Kind: store.StoreRoot, Location: dir, Snapshotters: []string{"native"}}
	if diff := cmp.Diff(want, info); diff != "" {
		t.Errorf("Info() (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"test"}, rootTestMust(s.Namespaces(rootTestNS))); diff != "" {
		t.Errorf("Namespaces() (-want +got):\n%s", diff)
	}
	listed, files := rootTestBlobs(t, s)
	for _, got := range []map[digest.Digest]struct{}{listed, files} {
		if diff := cmp.Diff(digestSet("kept", "loose"), got); diff != "" {
			t.Errorf("blobs (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff([]string{"loose", "used"}, rootTestSnapshots(t, s)); diff != "" {
		t.Errorf("snapshots (-want +got):\n%s", diff)
	}
	names := []string{}
	for _, i := range rootTestMust(s.Images().List(rootTestNS)) {
		names = append(names, i.Name)
	}
	for _, c := range rootTestMust(s.Containers().List(rootTestNS)) {
		names = append(names, c.ID)
	}
	for _, sb := range rootTestMust(s.Sandboxes().List(rootTestNS)) {
		names = append(names, sb.ID)
	}
	for _, l := range rootTestMust(s.Leases().List(rootTestNS)) {
		names = append(names, l.ID)
	}
	if diff := cmp.Diff([]string{"kept:1", "c", "s", "l"}, names); diff != "" {
		t.Errorf("image, container, sandbox, lease (-want +got):\n%s", diff)
	}
	if s.Snapshotter("overlayfs") != nil {
		t.Error("Snapshotter gave one that is not loaded")
	}
}

func TestOpenRootSynchronousDeleteCollects(t *testing.T) {
	rootTestNoLeaks(t)
	s := rootTestOpen(t, rootTestMake(t, rootTestSmall))
	lm := s.Leases()

	err := s.Batch(rootTestNS, func(ctx context.Context) error {
		return lm.Delete(ctx, leases.Lease{ID: "l"}, leases.SynchronousDelete)
	})
	if !errdefs.IsFailedPrecondition(err) {
		t.Fatalf("synchronous delete in a batch: %v, want a failed precondition", err)
	}
	plain := rootTestMust(lm.Create(rootTestNS, leases.WithID("plain")))
	if err := lm.Delete(rootTestNS, plain); err != nil {
		t.Fatal(err)
	}
	if _, files := rootTestBlobs(t, s); len(files) != 2 {
		t.Errorf("a plain delete collected: %v left", files)
	}
	if err := lm.Delete(rootTestNS, leases.Lease{ID: "l"}, leases.SynchronousDelete); err != nil {
		t.Fatal(err)
	}
	listed, files := rootTestBlobs(t, s)
	for _, got := range []map[digest.Digest]struct{}{listed, files} {
		if diff := cmp.Diff(digestSet("kept"), got); diff != "" {
			t.Errorf("blobs after the collection (-want +got):\n%s", diff)
		}
	}
	if diff := cmp.Diff([]string{"used"}, rootTestSnapshots(t, s)); diff != "" {
		t.Errorf("snapshots after the collection (-want +got):\n%s", diff)
	}
}

func TestOpenRootSynchronousDeleteHonoursContext(t *testing.T) {
	rootTestNoLeaks(t)
	s := rootTestOpen(t, rootTestMake(t, rootTestSmall))
	ctx, cancel := context.WithCancel(rootTestNS)
	cancel()
	err := s.Leases().Delete(ctx, leases.Lease{ID: "l"}, leases.SynchronousDelete)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("delete with a cancelled context: %v", err)
	}
	if ll := rootTestMust(s.Leases().List(rootTestNS)); len(ll) != 1 {
		t.Error("the lease was deleted all the same")
	}
}

func TestOpenRootBatch(t *testing.T) {
	rootTestNoLeaks(t)
	s := rootTestOpen(t, rootTestMake(t, rootTestSmall))
	if !s.Transactional() {
		t.Error("not transactional")
	}
	create := func(ctx context.Context, name string) error {
		target := rootTestMust(s.Images().Get(ctx, "kept:1")).Target
		_, err := s.Images().Create(ctx, images.Image{Name: name, Target: target})
		return err
	}
	stop := errors.New("stop")
	err := s.Batch(rootTestNS, func(ctx context.Context) error {
		if err := create(ctx, "a"); err != nil {
			return err
		}
		if err := s.Batch(ctx, func(ctx context.Context) error { return create(ctx, "b") }); err != nil {
			return err
		}
		if err := s.Images().Delete(ctx, "kept:1"); err != nil {
			return err
		}
		return stop
	})
	if !errors.Is(err, stop) {
		t.Fatalf("Batch returned %v", err)
	}
	if l := rootTestMust(s.Images().List(rootTestNS)); len(l) != 1 || l[0].Name != "kept:1" {
		t.Errorf("after a rollback: %v", l)
	}
	err = s.Batch(rootTestNS, func(ctx context.Context) error {
		return s.Batch(ctx, func(ctx context.Context) error { return create(ctx, "a") })
	})
	if err != nil {
		t.Fatal(err)
	}
	if l := rootTestMust(s.Images().List(rootTestNS)); len(l) != 2 {
		t.Errorf("after a commit: %v", l)
	}
}

func TestOpenRootID(t *testing.T) {
	rootTestNoLeaks(t)
	dir := rootTestMake(t, rootTestSmall)
	id := func() string {
		s := rootTestMust(OpenRoot(rootTestNS, dir))
		defer s.Close()
		return rootTestMust(s.Info(rootTestNS)).ID
	}
	first := id()
	moved := filepath.Join(filepath.Dir(dir), "moved")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	dir = moved
	if second := id(); second != first {
		t.Errorf("the ID was %q, and after a move %q", first, second)
	}
	path := filepath.Join(dir, "io.containerd.grpc.v1.introspection", "uuid")
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	const uuid = "5dfad0c8-4b9c-4f4c-9a35-0d3f6f2f7d11"
	if err := os.WriteFile(path, []byte(uuid), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := id(); got != uuid {
		t.Errorf("ID = %q, want the daemon's %q", got, uuid)
	}
}

// TestOpenRootOldSandboxes moves the sandbox to where containerd 1.7 keeps it.
func TestOpenRootOldSandboxes(t *testing.T) {
	rootTestNoLeaks(t)
	dir := rootTestMake(t, rootTestSmall)
	rootTestEdit(t, dir, func(tx *bolt.Tx) error {
		top, err := tx.CreateBucket([]byte("test"))
		if err != nil {
			return err
		}
		if err := tx.Bucket([]byte("v1")).Bucket([]byte("test")).MoveBucket([]byte("sandboxes"), top); err != nil {
			return err
		}
		return rootTestVersion(3)(tx)
	})
	s := rootTestOpen(t, dir)
	l, err := s.Sandboxes().List(rootTestNS)
	if err != nil || len(l) != 1 || l[0].ID != "s" || l[0].CreatedAt.IsZero() || l[0].Spec != nil {
		t.Errorf("List() = %+v, %v, want sandbox s", l, err)
	}
	if err := s.Sandboxes().Delete(rootTestNS, "s"); !errdefs.IsNotImplemented(err) {
		t.Errorf("Delete: %v, want not implemented", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	rootTestEdit(t, dir, func(tx *bolt.Tx) error {
		if v := tx.Bucket([]byte("v1")).Get([]byte("version")); len(v) != 1 || v[0] != 6 {
			t.Errorf("version is now %x: it was migrated", v)
		}
		return nil
	})
}
