package root

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"

	bolt "go.etcd.io/bbolt"

	"github.com/ctr-prune/ctr-prune/prune/internal/store/root/boltcheck"
)

// rootSnapshotBuckets checks that a snapshotter's database, whose pages are
// sound, has a bucket for every snapshot. Where there is something else
// containerd's package panics, and while that unwinds waits for itself. It
// closes the file.
func rootSnapshotBuckets(dir, path string, f *os.File) error {
	opts := *bolt.DefaultOptions
	opts.ReadOnly = true
	opts.Timeout = rootLockTimeout
	opts.OpenFile = func(string, int, fs.FileMode) (*os.File, error) { return f, nil }
	db, err := bolt.Open(path, 0o600, &opts)
	if err != nil {
		return rootError(dir, rootName(dir, path)+" cannot be opened", "", store.Cause(errdefs.ErrFailedPrecondition, err))
	}
	damage := db.View(func(tx *bolt.Tx) error {
		schema := tx.Bucket(rootKeySchema)
		if schema == nil {
			return nil // it has had no snapshot yet
		}
		all := schema.Bucket(rootKeySnapshots)
		if all == nil { // made together with the schema's
			return boltcheck.Damage("the bucket of snapshots is missing")
		}
		return all.ForEach(func(name, value []byte) error {
			if value != nil || all.Bucket(name) == nil {
				return boltcheck.Damage(fmt.Sprintf("snapshot %q has no bucket", name))
			}
			return nil
		})
	})
	if damage != nil {
		damage = rootError(dir, rootName(dir, path)+" is damaged ("+damage.Error()+")", "restore it from a backup",
			store.Cause(errdefs.ErrFailedPrecondition, damage))
	}
	return errors.Join(damage, db.Close())
}
