package root

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// rootLoaders open the snapshotters that need nothing but their directory. The
// others need the daemon's configuration (devmapper's pool, blockfile's scratch
// file), a kernel feature or cgo.
var rootLoaders = map[string]func(dir string) (snapshots.Snapshotter, error){
	"native":    native.NewSnapshotter,
	"overlayfs": func(dir string) (snapshots.Snapshotter, error) { return overlay.NewSnapshotter(dir) },
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
	if l.readOnly {
		return newRootReader(name, l.snapshotters[name])
	}
	return rootLoaders[name](l.snapshotters[name])
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
