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
// directories. The snapshotter of a containerd that runs has its database
// locked, so a copy in memory is read.
func readRecords(ctx context.Context, dir, snapshotter string) (map[string]record, error) {
	path := filepath.Join(dir, database)
	data, err := copyDatabase(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("copying %q: %w", path, err)
	}
	if err := boltcheck.Check(bytes.NewReader(data), int64(len(data))); err != nil {
		return nil, fmt.Errorf("%q is damaged: %w", path, err)
	}
	names, err := keysOf(ctx, data)
	if err != nil {
		return nil, fmt.Errorf("reading a copy of %q: %w", path, err)
	}
	records := make(map[string]record, len(names))
	for name, key := range names {
		r, err := parseRecord(key, snapshotter)
		if err != nil {
			return nil, fmt.Errorf("reading a copy of %q: %w", path, err)
		}
		records[name] = r
	}
	return records, nil
}

// copyDatabase copies a bolt file of another process as it is between two
// transactions. bolt overwrites no page that its newest meta page leads to, and
// changes a meta page, which are the first two pages, as the last step of a
// transaction: if these are the same before and after, the copy is whole.
func copyDatabase(ctx context.Context, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	metas := make([]byte, 2*os.Getpagesize())
	for range copyTries {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		n, err := f.ReadAt(metas, 0)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		data, err := io.ReadAll(io.NewSectionReader(f, 0, info.Size()))
		if err != nil {
			return nil, err
		}
		after := make([]byte, n)
		if _, err := f.ReadAt(after, 0); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if bytes.Equal(metas[:n], after) && bytes.HasPrefix(data, after) {
			return data, nil
		}
	}
	return nil, fmt.Errorf("it was modified during each attempt: %w", errdefs.ErrUnavailable)
}

// keysOf reads the keys of the snapshots in a database by the names of their
// directories.
func keysOf(ctx context.Context, data []byte) (names map[string]string, err error) {
	fd, err := unix.MemfdCreate("ctr-prune", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), database)
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(data); err != nil {
		return nil, err
	}
	ms, err := storage.NewMetaStore(fmt.Sprintf("/proc/self/fd/%d", fd), func(o *bbolt.Options) error {
		o.ReadOnly = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, ms.Close()) }()
	err = ms.WithTransaction(ctx, false, func(ctx context.Context) error {
		names, err = storage.IDMap(ctx)
		return err
	})
	if errdefs.IsNotFound(err) {
		return nil, nil // it has had no snapshot yet
	}
	return names, err
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
