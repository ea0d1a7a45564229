package root

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/continuity/fs"
	"github.com/containerd/errdefs"
)

// WithReadOnly opens the root only to read it, so that one on a file system that
// is mounted read-only, or whose files this user may only read, can be looked at.
// Nothing is written, and whatever would be fails. Others who read the root, too,
// are not kept out.
func WithReadOnly() RootOption {
	return func(c *rootConfig) { c.readOnly = true }
}

var errReadOnly = fmt.Errorf("the root was opened only to be read: %w", errdefs.ErrFailedPrecondition)

// rootReader reads a snapshotter's database. containerd's own packages write
// when they open one, or do not share it.
type rootReader struct {
	ms rootMetaStore
	// files is where the files of a snapshot are.
	files func(id string) string
}

var _ snapshots.Snapshotter = rootReader{}

// rootReaders are the parts of a snapshotter's directory that a snapshot's files
// are in, below the number of the snapshot.
var rootReaders = map[string]string{"native": "", "overlayfs": "fs"}

func newRootReader(name, dir string, ms rootMetaStore) rootReader {
	return rootReader{ms: ms, files: func(id string) string { return filepath.Join(dir, "snapshots", id, rootReaders[name]) }}
}

func (r rootReader) Stat(ctx context.Context, key string) (info snapshots.Info, err error) {
	_, info, _, err = r.get(ctx, key)
	return info, err
}

func (r rootReader) get(ctx context.Context, key string) (id string, info snapshots.Info, usage snapshots.Usage, err error) {
	err = r.ms.WithTransaction(ctx, false, func(ctx context.Context) (err error) {
		id, info, usage, err = storage.GetInfo(ctx, key)
		return err
	})
	return id, info, usage, err
}

// Usage is as containerd's: that of a snapshot which is written to is measured.
func (r rootReader) Usage(ctx context.Context, key string) (snapshots.Usage, error) {
	id, info, usage, err := r.get(ctx, key)
	if err != nil || info.Kind != snapshots.KindActive {
		return usage, err
	}
	measured, err := fs.DiskUsage(ctx, r.files(id))
	return snapshots.Usage(measured), err
}

func (r rootReader) Walk(ctx context.Context, fn snapshots.WalkFunc, filters ...string) error {
	return r.ms.WithTransaction(ctx, false, func(ctx context.Context) error { return storage.WalkInfo(ctx, fn, filters...) })
}

func (r rootReader) Close() error { return r.ms.Close() }

func (rootReader) Update(context.Context, snapshots.Info, ...string) (snapshots.Info, error) {
	return snapshots.Info{}, errReadOnly
}

func (rootReader) Mounts(context.Context, string) ([]mount.Mount, error) { return nil, errReadOnly }

func (rootReader) Prepare(context.Context, string, string, ...snapshots.Opt) ([]mount.Mount, error) {
	return nil, errReadOnly
}

func (rootReader) View(context.Context, string, string, ...snapshots.Opt) ([]mount.Mount, error) {
	return nil, errReadOnly
}

func (rootReader) Commit(context.Context, string, string, ...snapshots.Opt) error { return errReadOnly }

func (rootReader) Remove(context.Context, string) error { return errReadOnly }
