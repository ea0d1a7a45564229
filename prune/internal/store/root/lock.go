package root

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/store/root/boltcheck"
)

// rootLockPoll is how often a lock that is held is tried again.
const rootLockPoll = 20 * time.Millisecond

// rootLock opens an existing bolt file and takes the lock that bolt itself
// would take (flock, exclusive; shared if it is only read), waiting for at most
// the time given.
func rootLock(ctx context.Context, l RootLayout, path string, wait time.Duration) (*os.File, error) {
	flags, how := os.O_RDWR, unix.LOCK_EX
	if l.readOnly {
		flags, how = os.O_RDONLY, unix.LOCK_SH
	}
	f, err := os.OpenFile(path, flags, 0)
	if err != nil {
		return nil, rootAccess(l.Dir, path, err)
	}
	if err := rootFlock(ctx, f, how, wait); err != nil {
		// Nothing was written to f; the error that matters is that of the lock.
		_ = f.Close()
		return nil, rootLockError(ctx, l.Dir, path, err)
	}
	return f, nil
}

func rootLockError(ctx context.Context, dir, path string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("wait for the lock on %q: %w", path, context.Cause(ctx))
	}
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return rootError(dir, rootName(dir, path)+" cannot be locked", "", store.Cause(errdefs.ErrUnavailable, err))
	}
	return rootError(dir, "it is in use by a running containerd or by another ctr-prune",
		"stop that one, or connect to the running containerd by its socket", store.Cause(errdefs.ErrUnavailable, err))
}

// rootFlock returns EWOULDBLOCK when the time is over.
func rootFlock(ctx context.Context, f *os.File, how int, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	poll := time.NewTicker(rootLockPoll)
	defer poll.Stop()
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if err == nil || !errors.Is(err, unix.EWOULDBLOCK) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-poll.C:
		}
	}
}

// rootProbe checks the databases, meta being the locked one of the metadata,
// before anything opens them for good. bolt must not see a damaged file: it
// panics, or the kernel kills the process for reading beyond the end of a
// truncated one.
func rootProbe(ctx context.Context, l RootLayout, meta *os.File, wait time.Duration) error {
	if err := rootProbeFile(l.Dir, l.Meta, meta); err != nil {
		return err
	}
	// Sorted, so that of several damaged ones the same is always reported.
	for _, name := range slices.Sorted(maps.Keys(l.snapshotters)) {
		path := filepath.Join(l.snapshotters[name], rootSnapshotsDB)
		f, err := rootLock(ctx, l, path, wait)
		if err != nil {
			return err
		}
		// Closing lets go of the lock, since the snapshotter must open the file
		// itself. Containerd holds that of the metadata first of all.
		if err := rootProbeFile(l.Dir, path, f); err != nil {
			return errors.Join(err, f.Close())
		}
		if err := rootSnapshotBuckets(l.Dir, path, f); err != nil {
			return err
		}
	}
	return nil
}

func rootProbeFile(dir, path string, f *os.File) error {
	fi, err := f.Stat()
	if err != nil {
		return rootAccess(dir, path, err)
	}
	if fi.Size() == 0 {
		return rootError(dir, rootName(dir, path)+" is empty", "restore it from a backup", errdefs.ErrFailedPrecondition)
	}
	err = boltcheck.Check(f, fi.Size())
	var damage boltcheck.Damage
	if errors.As(err, &damage) {
		return rootError(dir, rootName(dir, path)+" is damaged ("+damage.Error()+")", "restore it from a backup",
			store.Cause(errdefs.ErrFailedPrecondition, err))
	}
	if err != nil {
		return rootAccess(dir, path, err)
	}
	return nil
}

// rootBolt opens the metadata database on the file that is locked already: the
// lock belongs to the open file, so bolt gets it again at once. The file is
// closed with the database, or on an error.
func rootBolt(l RootLayout, meta *os.File) (*bolt.DB, error) {
	opts := *bolt.DefaultOptions
	// As containerd opens it. The free list is not stored, and so opening
	// writes nothing.
	opts.NoFreelistSync = true
	opts.ReadOnly = l.readOnly
	opts.NoStatistics = true
	opts.Timeout = rootLockTimeout
	opts.OpenFile = func(string, int, fs.FileMode) (*os.File, error) { return meta, nil }
	db, err := bolt.Open(l.Meta, 0o600, &opts)
	if err != nil {
		return nil, rootError(l.Dir, rootName(l.Dir, l.Meta)+" cannot be opened", "", store.Cause(errdefs.ErrFailedPrecondition, err))
	}
	return db, nil
}
