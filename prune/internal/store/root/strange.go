package root

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"

	bolt "go.etcd.io/bbolt"
)

// rootKeyName is what a record of a snapshot has its key in the snapshotter under.
var rootKeyName = []byte("name")

// rootStrange refuses a root of which most snapshots are not in the directory of
// their snapshotter: it is left from before containerd was given another for it
// (root_path), and a collection would look for everything in the wrong place. A
// few may be missing after a crash.
func rootStrange(ctx context.Context, l RootLayout, db *bolt.DB, backends map[string]snapshots.Snapshotter) error {
	for name, backend := range backends {
		keys, err := rootBackendKeys(db, name)
		if err != nil {
			return err
		}
		missing, err := rootMissing(ctx, backend, keys)
		if err != nil {
			return rootError(l.Dir, fmt.Sprintf("snapshotter %s cannot be read", name), "", store.Cause(errdefs.ErrFailedPrecondition, err))
		}
		if 2*missing > len(keys) {
			problem := fmt.Sprintf("%d of its %d snapshots of %s are not in %s, so containerd is probably configured with another root_path for that snapshotter",
				missing, len(keys), name, rootName(l.Dir, l.snapshotters[name]))
			return rootError(l.Dir, problem, "start containerd, and connect to it by its socket: no other directory can be named here", errdefs.ErrFailedPrecondition)
		}
	}
	return nil
}

// rootMissing counts the keys that the snapshotter does not have.
func rootMissing(ctx context.Context, backend snapshots.Snapshotter, keys []string) (int, error) {
	there := make(map[string]struct{}, len(keys))
	err := backend.Walk(ctx, func(_ context.Context, info snapshots.Info) error {
		there[info.Name] = struct{}{}
		return nil
	})
	if err != nil && !errdefs.IsNotFound(err) { // it has had no snapshot yet
		return 0, err
	}
	missing := 0
	for _, key := range keys {
		if _, ok := there[key]; !ok {
			missing++
		}
	}
	return missing, nil
}

// rootBackendKeys are the keys that a snapshotter has its snapshots under, of all
// namespaces.
func rootBackendKeys(db *bolt.DB, snapshotter string) (keys []string, err error) {
	err = db.View(func(tx *bolt.Tx) error {
		schema := tx.Bucket(rootKeySchema)
		return schema.ForEachBucket(func(ns []byte) error {
			all := schema.Bucket(ns).Bucket(rootKeySnapshots)
			if all == nil || all.Bucket([]byte(snapshotter)) == nil {
				return nil
			}
			records := all.Bucket([]byte(snapshotter))
			return records.ForEachBucket(func(key []byte) error {
				if name := records.Bucket(key).Get(rootKeyName); name != nil {
					keys = append(keys, string(name))
				}
				return nil
			})
		})
	})
	return keys, err
}
