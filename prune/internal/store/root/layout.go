package root

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/containerd/containerd/v2/plugins"
	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/daemon"
)

// rootSnapshotsDB is a snapshotter's database, in its directory.
const rootSnapshotsDB = "metadata.db"

const rootHint = `give the directory that containerd's configuration calls "root", usually /var/lib/containerd`

// RootLayout holds the paths of a containerd root. All of them exist.
type RootLayout struct {
	Dir     string
	Meta    string // the metadata database
	Content string // the content store's directory
	// readOnly: nothing is to be written.
	readOnly bool
	// snapshotters maps the names of those that have a database, and that this
	// package can load, to their directories.
	snapshotters map[string]string
}

func rootError(dir, problem, hint string, err error) error {
	return &store.OpenError{Kind: store.StoreRoot, Location: dir, Problem: problem, Hint: hint, Err: err}
}

// rootFind looks for everything that a containerd root has, without opening
// any file.
func rootFind(dir string, readOnly bool) (RootLayout, error) {
	abs, err := filepath.Abs(dir)
	if err != nil || dir == "" {
		return RootLayout{}, rootError(dir, "this is not the path of a directory", rootHint, store.Cause(errdefs.ErrInvalidArgument, err))
	}
	l := RootLayout{
		Dir:          abs,
		Meta:         filepath.Join(store.RootPath(abs, plugins.MetadataPlugin.String(), "bolt"), "meta.db"),
		Content:      store.RootPath(abs, plugins.ContentPlugin.String(), "content"),
		readOnly:     readOnly,
		snapshotters: map[string]string{},
	}
	if err := rootIs(abs, abs, fs.ModeDir, "there is no such directory"); err != nil {
		return l, err
	}
	if err := rootIs(abs, l.Meta, 0, "this is not a containerd root, it has no io.containerd.metadata.v1.bolt/meta.db"); err != nil {
		return l, err
	}
	if err := rootIsOurs(l, l.Content); err != nil {
		return l, err
	}
	return l, rootFindSnapshotters(l)
}

// rootFindSnapshotters adds the snapshotters found on disk to l. One without a
// database was never used: its directory is there, but nothing is in it.
func rootFindSnapshotters(l RootLayout) error {
	for _, name := range slices.Sorted(maps.Keys(rootLoaders)) {
		dir := store.RootPath(l.Dir, plugins.SnapshotPlugin.String(), name)
		_, err := os.Stat(filepath.Join(dir, rootSnapshotsDB))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		for _, err := range []error{
			rootIs(l.Dir, filepath.Join(dir, rootSnapshotsDB), 0, "a database has just been deleted"),
			rootIsOurs(l, filepath.Join(dir, "snapshots")),
		} {
			if err != nil {
				return err
			}
		}
		l.snapshotters[name] = dir
	}
	return nil
}

// rootIs checks that path exists and is of the type given; missing is the
// sentence for when it does not.
func rootIs(dir, path string, kind fs.FileMode, missing string) error {
	fi, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		var sort error = errdefs.ErrFailedPrecondition
		if path == dir {
			sort = errdefs.ErrNotFound
		}
		return rootError(dir, missing, rootHint, store.Cause(sort, err))
	case err != nil:
		return rootAccess(dir, path, err)
	case fi.Mode().Type() != kind:
		return rootError(dir, rootName(dir, path)+" is "+daemon.StoreFileKind(fi), rootHint, errdefs.ErrFailedPrecondition)
	}
	return nil
}

// rootIsOurs checks that path is a directory in which this process may delete, or
// of a root that is only read, one that it may read.
func rootIsOurs(l RootLayout, path string) error {
	if err := rootIs(l.Dir, path, fs.ModeDir, "this containerd root has no "+rootName(l.Dir, path)); err != nil {
		return err
	}
	mode := uint32(unix.R_OK | unix.X_OK)
	if !l.readOnly {
		mode |= unix.W_OK
	}
	if err := unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS); err != nil {
		return rootAccess(l.Dir, path, err)
	}
	return nil
}

// rootAccess reports a file or directory that exists but cannot be used.
func rootAccess(dir, path string, err error) error {
	name := rootName(dir, path)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return rootError(dir, "permission denied for "+name, "run as the user that containerd runs as, usually root",
			store.Cause(errdefs.ErrPermissionDenied, err))
	case errors.Is(err, syscall.EROFS):
		return rootError(dir, name+" is on a file system that is mounted read-only", "mount it writable",
			store.Cause(errdefs.ErrFailedPrecondition, err))
	default:
		problem := name + " cannot be read"
		if errno, ok := store.DiskErrno(err); ok {
			problem += " (" + errno.Error() + ")"
		}
		return rootError(dir, problem, "", store.Cause(errdefs.ErrUnavailable, err))
	}
}

// rootName is how a sentence about dir names a path in it.
func rootName(dir, path string) string {
	rel, err := filepath.Rel(dir, path)
	if err != nil || rel == "." {
		return "the directory"
	}
	return rel
}
