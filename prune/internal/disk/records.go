package disk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/errdefs"
	"go.etcd.io/bbolt"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/root/boltcheck"
)

// database is where a snapshotter of containerd keeps its records.
const database = "metadata.db"

// copyTries bounds how often a database is copied that is written to meanwhile.
const copyTries = 20

// record is what a snapshotter has noted of one of its directories: the
// snapshot that it is, and how many its namespace had had before. A key that is
// used again has a record of a higher number.
type record struct {
	id     inventory.SnapshotID
	number uint64
}

// readRecords reads the records of a snapshotter by the names of their
// directories.
func readRecords(ctx context.Context, dir, snapshotter string) (records map[string]record, err error) {
	err = copied(ctx, dir, func(ctx context.Context) error {
		names, err := storage.IDMap(ctx)
		if err != nil {
			return err
		}
		records = make(map[string]record, len(names))
		for name, key := range names {
			if records[name], err = parseRecord(key, snapshotter); err != nil {
				return err
			}
		}
		return nil
	})
	return records, err
}

// eachSize visits the records of a snapshotter with the names of their directories
// and what the snapshotter measured when the snapshot was committed, of size -1 if it
// is not: that of others changes, and is not recorded. There may be a million, so
// nothing is kept of them.
func eachSize(ctx context.Context, dir, snapshotter string, visit func(name string, r record, kind snapshots.Kind, usage snapshots.Usage)) error {
	return copied(ctx, dir, func(ctx context.Context) error {
		return storage.WalkInfo(ctx, func(ctx context.Context, info snapshots.Info) error {
			name, _, usage, err := storage.GetInfo(ctx, info.Name)
			if err != nil {
				return fmt.Errorf("reading snapshot %q: %w", info.Name, err)
			}
			r, err := parseRecord(info.Name, snapshotter)
			if err != nil {
				return err
			}
			if info.Kind != snapshots.KindCommitted {
				usage.Size = -1
			}
			visit(name, r, info.Kind, usage)
			return nil
		})
	})
}

// copied calls do in a transaction on a copy of the database of a snapshotter. The
// snapshotter of a containerd that runs has the database itself locked.
func copied(ctx context.Context, dir string, do func(context.Context) error) (err error) {
	path := filepath.Join(dir, database)
	f, err := inMemory()
	if err != nil {
		return fmt.Errorf("copying %q: %w", path, err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	size, err := copyDatabase(ctx, f, path)
	if err != nil {
		return fmt.Errorf("copying %q: %w", path, err)
	}
	if err := boltcheck.Check(f, size); err != nil {
		return fmt.Errorf("%q is damaged: %w", path, err)
	}
	if err := within(ctx, f, do); err != nil {
		return fmt.Errorf("reading a copy of %q: %w", path, err)
	}
	return nil
}

// inMemory makes a file that has no name and takes no disk (memfd_create(2)).
func inMemory() (*os.File, error) {
	fd, err := unix.MemfdCreate(database, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making a file in memory: %w", err)
	}
	return os.NewFile(uintptr(fd), database), nil
}

// copyDatabase copies a bolt file of another process as it is between two
// transactions, and returns its size. bolt overwrites no page that its newest
// meta page leads to, and changes a meta page, which are the first two pages, as
// the last step of a transaction: if these are the same before and after, the
// copy is whole.
func copyDatabase(ctx context.Context, to *os.File, path string) (int64, error) {
	from, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = from.Close() }() // nothing was written
	for range copyTries {
		if ctx.Err() != nil {
			return 0, ctx.Err()
		}
		size, whole, err := copyOnce(to, from)
		if err != nil || whole {
			return size, err
		}
	}
	return 0, fmt.Errorf("it was written to each time: %w", errdefs.ErrUnavailable)
}

func copyOnce(to, from *os.File) (size int64, whole bool, err error) {
	before, err := metaPages(from)
	if err != nil {
		return 0, false, err
	}
	_, err = from.Seek(0, io.SeekStart)
	if err == nil {
		_, err = to.Seek(0, io.SeekStart)
	}
	if err == nil {
		size, err = io.Copy(to, from)
	}
	if err == nil {
		err = to.Truncate(size)
	}
	if err != nil {
		return 0, false, err
	}
	after, err := metaPages(from)
	if err != nil {
		return 0, false, err
	}
	copied, err := metaPages(to)
	return size, bytes.Equal(before, after) && bytes.Equal(after, copied), err
}

// metaPages reads the two pages that say where everything is.
func metaPages(f *os.File) ([]byte, error) {
	pages := make([]byte, 2*os.Getpagesize())
	n, err := f.ReadAt(pages, 0)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return pages[:n], err
}

// within calls do in a transaction on a database.
func within(ctx context.Context, f *os.File, do func(context.Context) error) (err error) {
	ms, err := storage.NewMetaStore(fmt.Sprintf("/proc/self/fd/%d", f.Fd()), func(o *bbolt.Options) error {
		o.ReadOnly = true
		return nil
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ms.Close()) }()
	err = ms.WithTransaction(ctx, false, do)
	if errdefs.IsNotFound(err) {
		return nil // it has had no snapshot yet
	}
	return err
}

// parseRecord takes a key of a snapshotter apart: containerd makes it of the
// namespace, a number and the key in the namespace (createKey in
// core/metadata/snapshot.go).
func parseRecord(key, snapshotter string) (record, error) {
	parts := strings.SplitN(key, "/", 3)
	if len(parts) < 3 {
		return record{}, fmt.Errorf("snapshot %q is not one of containerd's: %w", key, errdefs.ErrFailedPrecondition)
	}
	number, err := strconv.ParseUint(parts[1], 10, 64)
	if err != nil {
		return record{}, fmt.Errorf("snapshot %q is not one of containerd's: %w", key, err)
	}
	sn := inventory.SnapshotKey{Snapshotter: snapshotter, Key: parts[2]}
	return record{id: inventory.SnapshotID{Namespace: parts[0], SnapshotKey: sn}, number: number}, nil
}
