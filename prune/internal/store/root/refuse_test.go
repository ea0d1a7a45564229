package root

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"

	bolt "go.etcd.io/bbolt"
)

// rootTestRefused opens dir and checks that it is refused for the reason given
// and that nothing in it was created, changed or even touched.
func rootTestRefused(t *testing.T, dir string, kind error, want string) {
	t.Helper()
	before := rootTestTree(t, filepath.Dir(dir))
	s, err := OpenRoot(context.Background(), dir, WithLockTimeout(50*time.Millisecond))
	if err == nil {
		_ = s.Close()
		t.Fatal("opened")
	}
	if diff := cmp.Diff(before, rootTestTree(t, filepath.Dir(dir))); diff != "" {
		t.Errorf("the refused open changed (-before +after):\n%s", diff)
	}
	var oe *store.OpenError
	if !errors.As(err, &oe) || oe.Kind != store.StoreRoot || oe.Location != dir {
		t.Errorf("%#v is not an OpenError of %q", err, dir)
	}
	if !errors.Is(err, kind) {
		t.Errorf("%v does not match %v", err, kind)
	}
	if !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\n") {
		t.Errorf("the error says\n%s\nand not\n%s", err, want)
	}
}

func TestOpenRootRefuses(t *testing.T) {
	const snapshotter = "io.containerd.snapshotter.v1.native"
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name    string
		prepare func(t *testing.T, dir string)
		kind    error
		want    string
	}{
		{"missing", func(t *testing.T, dir string) { must(t, os.RemoveAll(dir)) },
			errdefs.ErrNotFound, "there is no such directory"},
		{"a file", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir))
			must(t, os.WriteFile(dir, nil, 0o600))
		}, errdefs.ErrFailedPrecondition, "the directory is a regular file"},
		{"an empty folder", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir))
			must(t, os.Mkdir(dir, 0o700))
		}, errdefs.ErrFailedPrecondition, "this is not a containerd root"},
		{"a foreign folder", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(dir))
			must(t, os.Mkdir(dir, 0o700))
			must(t, os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("mine"), 0o600))
		}, errdefs.ErrFailedPrecondition, "this is not a containerd root"},
		{"no content store", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, "io.containerd.content.v1.content")))
		}, errdefs.ErrFailedPrecondition, "no io.containerd.content.v1.content"},
		{"no snapshots directory", func(t *testing.T, dir string) {
			must(t, os.RemoveAll(filepath.Join(dir, snapshotter, "snapshots")))
		}, errdefs.ErrFailedPrecondition, "no " + snapshotter + "/snapshots"},
		{"no snapshot database", func(t *testing.T, dir string) {
			must(t, os.Remove(filepath.Join(dir, snapshotter, "metadata.db")))
		}, errdefs.ErrFailedPrecondition, `it has snapshots of "native", which cannot be opened here`},
		{"an unloaded snapshotter", func(t *testing.T, dir string) {
			rootTestEdit(t, dir, func(tx *bolt.Tx) error {
				all := tx.Bucket([]byte("v1")).Bucket([]byte("test")).Bucket([]byte("snapshots"))
				b, err := all.CreateBucket([]byte("stargz"))
				if err == nil {
					_, err = b.CreateBucket([]byte("key"))
				}
				return err
			})
		}, errdefs.ErrFailedPrecondition, `it has snapshots of "stargz", which cannot be opened here`},
		{"a newer version", func(t *testing.T, dir string) { rootTestEdit(t, dir, rootTestVersion(5)) },
			errdefs.ErrFailedPrecondition, "its meta.db is of version 5, but only versions 3 to 4 are supported; use a newer ctr-prune"},
		{"an older version", func(t *testing.T, dir string) { rootTestEdit(t, dir, rootTestVersion(2)) },
			errdefs.ErrFailedPrecondition, "version 2, but only versions 3 to 4 are supported; start a newer containerd"},
		{"another schema", func(t *testing.T, dir string) {
			rootTestEdit(t, dir, func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("v1")) })
		}, errdefs.ErrFailedPrecondition, "its meta.db has no schema v1"},
		{"an empty meta.db", func(t *testing.T, dir string) { must(t, os.Truncate(rootTestMeta(dir), 0)) },
			errdefs.ErrFailedPrecondition, "io.containerd.metadata.v1.bolt/meta.db is empty; restore it from a backup"},
		{"a short meta.db", func(t *testing.T, dir string) { must(t, os.Truncate(rootTestMeta(dir), 50)) },
			errdefs.ErrFailedPrecondition, "meta.db is damaged (it is too short for a database)"},
		{"a truncated meta.db", func(t *testing.T, dir string) { must(t, os.Truncate(rootTestMeta(dir), 3*4096)) },
			errdefs.ErrFailedPrecondition, "it was truncated"},
		{"a meta.db of text", func(t *testing.T, dir string) {
			must(t, os.WriteFile(rootTestMeta(dir), []byte(strings.Repeat("text ", 9999)), 0o600))
		}, errdefs.ErrFailedPrecondition, "meta.db is damaged (it is not a bolt database)"},
		{"a damaged snapshot database", func(t *testing.T, dir string) {
			must(t, os.Truncate(filepath.Join(dir, snapshotter, "metadata.db"), 5000))
		}, errdefs.ErrFailedPrecondition, "native/metadata.db is damaged"},
		{"a snapshot without a bucket", func(t *testing.T, dir string) {
			db, err := bolt.Open(filepath.Join(dir, snapshotter, "metadata.db"), 0o600, nil)
			must(t, err)
			must(t, db.Update(func(tx *bolt.Tx) error {
				return tx.Bucket([]byte("v1")).Bucket([]byte("snapshots")).Put([]byte("test/9/flat"), []byte("x"))
			}))
			must(t, db.Close())
		}, errdefs.ErrFailedPrecondition, `metadata.db is damaged (snapshot "test/9/flat" has no bucket)`},
		{"a snapshot database without snapshots", func(t *testing.T, dir string) {
			db, err := bolt.Open(filepath.Join(dir, snapshotter, "metadata.db"), 0o600, nil)
			must(t, err)
			must(t, db.Update(func(tx *bolt.Tx) error {
				return tx.Bucket([]byte("v1")).DeleteBucket([]byte("snapshots"))
			}))
			must(t, db.Close())
		}, errdefs.ErrFailedPrecondition, "metadata.db is damaged (the bucket of snapshots is missing)"},
		{"a meta.db that is a directory", func(t *testing.T, dir string) {
			must(t, os.Remove(rootTestMeta(dir)))
			must(t, os.Mkdir(rootTestMeta(dir), 0o700))
		}, errdefs.ErrFailedPrecondition, "meta.db is a directory"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rootTestNoLeaks(t)
			dir := rootTestMake(t, rootTestSmall)
			tt.prepare(t, dir)
			rootTestRefused(t, dir, tt.kind, tt.want)
		})
	}
}

func TestOpenRootNoPath(t *testing.T) {
	if _, err := OpenRoot(context.Background(), ""); !errors.Is(err, errdefs.ErrInvalidArgument) {
		t.Errorf("OpenRoot of an empty path: %v", err)
	}
}

// TestOpenRootNoPermission needs a user whom permissions bind. For root, the
// file system user of the test's thread is changed (setfsuid(2)).
func TestOpenRootNoPermission(t *testing.T) {
	rootTestNoLeaks(t)
	dir := rootTestMake(t, rootTestSmall)
	locked := filepath.Dir(rootTestMeta(dir))
	before := rootTestTree(t, dir)
	if err := os.Chmod(locked, 0); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		// Never unlocked: the thread ends with the goroutine.
		runtime.LockOSThread()
		if os.Geteuid() == 0 {
			_, _, _ = syscall.RawSyscall(syscall.SYS_SETFSUID, 65534, 0, 0)
		}
		_, err := OpenRoot(context.Background(), dir)
		done <- err
	}()
	err := <-done
	if cerr := os.Chmod(locked, 0o711); cerr != nil {
		t.Fatal(cerr)
	}
	if !errors.Is(err, errdefs.ErrPermissionDenied) || !strings.Contains(err.Error(), "permission denied for ") {
		t.Errorf("OpenRoot without permission: %v", err)
	}
	if diff := cmp.Diff(before, rootTestTree(t, dir)); diff != "" {
		t.Errorf("the refused open changed (-before +after):\n%s", diff)
	}
}

func TestOpenRootTwice(t *testing.T) {
	rootTestNoLeaks(t)
	dir := rootTestMake(t, rootTestSmall)
	s := rootTestMust(OpenRoot(context.Background(), dir))
	rootTestRefused(t, dir, errdefs.ErrUnavailable,
		"it is in use by a running containerd or by another ctr-prune; stop that one, or connect")

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := OpenRoot(ctx, dir, WithLockTimeout(time.Hour)); !errors.Is(err, context.Canceled) {
		t.Errorf("OpenRoot with a cancelled context: %v", err)
	}
	// A closer that is slow, but quick enough, is waited for.
	opened := make(chan error)
	go func() {
		s, err := OpenRoot(context.Background(), dir, WithLockTimeout(time.Minute))
		if err == nil {
			err = s.Close()
		}
		opened <- err
	}()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-opened; err != nil {
		t.Errorf("OpenRoot while another one closes: %v", err)
	}
}

// A snapshotter's database may be held by a process that does not know of
// meta.db; the snapshotter itself would wait for it forever.
func TestOpenRootSnapshotterInUse(t *testing.T) {
	rootTestNoLeaks(t)
	dir := rootTestMake(t, rootTestSmall)
	db, err := bolt.Open(filepath.Join(dir, "io.containerd.snapshotter.v1.native", "metadata.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	rootTestRefused(t, dir, errdefs.ErrUnavailable, "in use by a running containerd")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
