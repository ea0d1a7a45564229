package root

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"

	bolt "go.etcd.io/bbolt"
)

// The versions of the database's schema v1 that the linked packages read
// rightly without a migration (containerd's core/metadata/migrations.go).
// 1.2 to 1.7 write version 3; 2.0 and later version 4, which only moved the
// sandboxes. Older ones lack links between snapshots, or keep ingests elsewhere.
const (
	rootSchemaMin = 3
	rootSchemaMax = 4
	// rootSchemaExpiry is the first version of a containerd whose collector
	// heeds the expiry of records, as the linked one does.
	rootSchemaExpiry = 4
)

// The database's buckets that are read here, not through core/metadata.
var (
	rootKeySchema    = []byte("v1")
	rootKeyVersion   = []byte("version")
	rootKeySnapshots = []byte("snapshots")
	rootKeyImages    = []byte("images")
	rootKeyLabels    = []byte("labels")
)

// rootSchema returns the database's version. It refuses one that it does not
// know, and records of snapshotters that are not loaded: a collection would
// forget their snapshots and leave them on the disk for good.
func rootSchema(l RootLayout, db *bolt.DB) (version int64, err error) {
	err = db.View(func(tx *bolt.Tx) error {
		schema := tx.Bucket(rootKeySchema)
		if schema == nil {
			return rootError(l.Dir, "its meta.db has no schema v1, so it is not one that this program knows", rootHint,
				errdefs.ErrFailedPrecondition)
		}
		version, _ = binary.Varint(schema.Get(rootKeyVersion))
		if err := rootVersionKnown(l, version); err != nil {
			return err
		}
		if err := rootUnloaded(l, schema); err != nil || version >= rootSchemaExpiry {
			return err
		}
		return rootExpiring(l, schema)
	})
	return version, err
}

// rootExpiring refuses image records with an expiry in the store of a
// containerd to which that label means nothing: the collector in this program
// would remove them, whatever was decided.
func rootExpiring(l RootLayout, schema *bolt.Bucket) error {
	return schema.ForEachBucket(func(ns []byte) error {
		records := schema.Bucket(ns).Bucket(rootKeyImages)
		if records == nil {
			return nil
		}
		return records.ForEachBucket(func(name []byte) error {
			labels := records.Bucket(name).Bucket(rootKeyLabels)
			if labels == nil || !gc.IsExpiry(string(labels.Get([]byte(gc.LabelExpire)))) {
				return nil
			}
			problem := fmt.Sprintf("its image %q in namespace %q has a label %s, which the containerd of this store, older than 2.0, ignores but the garbage collector in this program obeys", name, ns, gc.LabelExpire)
			return rootError(l.Dir, problem, "start containerd, and connect to it by its socket", errdefs.ErrFailedPrecondition)
		})
	})
}

func rootVersionKnown(l RootLayout, version int64) error {
	hint := "use a newer ctr-prune"
	if version < rootSchemaMin {
		hint = "start a newer containerd on it once"
	}
	if version < rootSchemaMin || version > rootSchemaMax {
		return rootError(l.Dir, fmt.Sprintf("its meta.db is of version %d, but only versions %d to %d are supported",
			version, rootSchemaMin, rootSchemaMax), hint, errdefs.ErrFailedPrecondition)
	}
	return nil
}

func rootUnloaded(l RootLayout, schema *bolt.Bucket) error {
	unloaded := map[string]struct{}{}
	err := schema.ForEachBucket(func(ns []byte) error {
		all := schema.Bucket(ns).Bucket(rootKeySnapshots)
		if all == nil {
			return nil
		}
		return all.ForEachBucket(func(name []byte) error {
			_, loaded := l.snapshotters[string(name)]
			if first, _ := all.Bucket(name).Cursor().First(); first != nil && !loaded {
				unloaded[string(name)] = struct{}{}
			}
			return nil
		})
	})
	if err != nil || len(unloaded) == 0 {
		return err
	}
	names := []string{}
	for _, name := range slices.Sorted(maps.Keys(unloaded)) {
		names = append(names, fmt.Sprintf("%q", name))
	}
	problem := "it has snapshots of " + strings.Join(names, ", ") + ", which cannot be opened here"
	return rootError(l.Dir, problem, "start containerd, and connect to it by its socket", errdefs.ErrFailedPrecondition)
}
