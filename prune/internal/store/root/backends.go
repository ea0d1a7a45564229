package root

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/errdefs"
	bolt "go.etcd.io/bbolt"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// rootLoaders open the snapshotters that need nothing but their directory. The
// others need the daemon's configuration (devmapper's pool, blockfile's scratch
// file), a kernel feature or cgo.
var rootLoaders = map[string]func(dir string) (*rootRemover, error){
	"native": func(dir string) (*rootRemover, error) {
		sn, err := newRootNative(dir)
		return newRootRemover(sn, sn.db, dir), err
	},
	"overlayfs": func(dir string) (*rootRemover, error) {
		ms, err := newRootMetaStore(filepath.Join(dir, rootSnapshotsDB))
		if err != nil {
			return nil, err
		}
		sn, err := overlay.NewSnapshotter(dir, overlay.WithMetaStore(ms))
		return newRootRemover(sn, ms, dir), err
	},
}

// newRootMetaStore opens the database of a snapshotter with the first
// transaction.
func newRootMetaStore(path string, opts ...storage.Opt) (*storage.MetaStore, error) {
	return storage.NewMetaStore(path, append(opts, func(o *bolt.Options) error {
		o.FreelistType = bolt.FreelistMapType // an array is slow where a transaction frees many pages
		return nil
	})...)
}

// rootSnapshotters opens the snapshotters of l. Their databases are opened with
// the first call, without a time limit; that call is made here, where they have
// just been found not to be locked.
func rootSnapshotters(ctx context.Context, l RootLayout) (rootGuards, error) {
	opened := rootGuards{}
	for _, name := range slices.Sorted(maps.Keys(l.snapshotters)) {
		sn, err := rootSnapshotter(l, name)
		if err == nil {
			guard := &rootGuard{name: name, backend: sn}
			opened = append(opened, guard)
			err = rootTouch(ctx, guard)
		}
		if err != nil {
			err = rootError(l.Dir, fmt.Sprintf("snapshotter %s cannot be opened", name), "",
				store.Cause(errdefs.ErrFailedPrecondition, err))
			return nil, errors.Join(err, opened.close())
		}
	}
	return opened, nil
}

func rootSnapshotter(l RootLayout, name string) (snapshots.Snapshotter, error) {
	dir := l.snapshotters[name]
	if !l.readOnly {
		return rootLoaders[name](dir)
	}
	ms, err := newRootMetaStore(filepath.Join(dir, rootSnapshotsDB), func(o *bolt.Options) error {
		o.ReadOnly, o.Timeout = true, rootLockTimeout
		return nil
	})
	return newRootReader(name, dir, ms), err
}

func rootTouch(ctx context.Context, sn snapshots.Snapshotter) error {
	_, err := sn.Stat(ctx, "no such snapshot")
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

func rootContent(l RootLayout) (content.Store, error) {
	if l.readOnly {
		return rootBlobs{dir: l.Content}, nil
	}
	st, err := local.NewStore(l.Content)
	if err != nil {
		return nil, rootError(l.Dir, "the content store cannot be opened", "", store.Cause(errdefs.ErrFailedPrecondition, err))
	}
	return st, nil
}
