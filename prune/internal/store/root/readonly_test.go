package root

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// A root whose files this user may only read is refused, unless it is opened only
// to be read: then all of it is there, others may read it, too, and nothing can be
// changed.
func TestOpenRootReadOnly(t *testing.T) {
	rootTestNoLeaks(t)
	dir := rootTestMake(t, rootTestSmall)
	withoutRights(t, dir)
	before := rootTestTree(t, dir)
	if _, err := OpenRoot(t.Context(), dir); !errdefs.IsPermissionDenied(err) {
		t.Errorf("opened to be written to: %v", err)
	}
	s := rootTestMust(OpenRoot(t.Context(), dir, WithReadOnly()))
	other := rootTestMust(OpenRoot(t.Context(), dir, WithReadOnly()))
	defer func() { rootTestMust(0, other.Close()); rootTestMust(0, s.Close()) }()
	if list := rootTestMust(s.Images().List(rootTestNS)); len(list) != 1 || list[0].Name != "kept:1" {
		t.Errorf("images: %v", list)
	}
	var keys []string
	rootTestMust(0, s.Snapshotter("native").Walk(rootTestNS, func(ctx context.Context, info snapshots.Info) error {
		keys = append(keys, info.Name)
		_, err := s.Snapshotter("native").Usage(ctx, info.Name)
		return err
	}))
	if len(keys) != 2 {
		t.Errorf("snapshots: %q", keys)
	}
	if _, err := s.Leases().Create(rootTestNS, leases.WithID("new")); err == nil {
		t.Error("a lease was created")
	}
	if err := s.Snapshotter("native").Remove(rootTestNS, "loose"); err == nil {
		t.Error("a snapshot was removed")
	}
	if diff := cmp.Diff(before, rootTestTree(t, dir)); diff != "" {
		t.Errorf("changed:\n%s", diff)
	}
}

// withoutRights takes the rights to write from this thread's user, who for root
// becomes another one as far as files are concerned.
func withoutRights(t *testing.T, dir string) {
	t.Helper()
	set := func(folder, file fs.FileMode) {
		rootTestMust(0, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err == nil && e.IsDir() {
				return os.Chmod(path, folder)
			}
			return os.Chmod(path, file)
		}))
	}
	set(0o555, 0o444)
	t.Cleanup(func() { set(0o755, 0o644) })
	if os.Geteuid() != 0 {
		return
	}
	for _, above := range []string{filepath.Dir(dir), filepath.Dir(filepath.Dir(dir))} {
		rootTestMust(0, os.Chmod(above, 0o755))
	}
	runtime.LockOSThread()
	rootTestMust(0, unix.Setfsuid(65534))
	t.Cleanup(func() {
		rootTestMust(0, unix.Setfsuid(0))
		runtime.UnlockOSThread()
	})
}
