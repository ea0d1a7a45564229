package imagestore

import (
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"
	bolt "go.etcd.io/bbolt"
)

// Backdate sets the time at which blobs were committed, in one namespace. No
// interface of containerd can do it, and an age filter cannot be tested without.
func (e *Embedded) Backdate(namespace string, t time.Time, blobs ...digest.Digest) error {
	return backdate(e.bolt, namespace, t, blobs)
}

// The path below is the layout of containerd's core/metadata/buckets.go.
func backdate(db *bolt.DB, namespace string, t time.Time, blobs []digest.Digest) error {
	value, err := t.UTC().MarshalBinary()
	if err != nil {
		return err
	}
	return db.Update(func(tx *bolt.Tx) error {
		for _, d := range blobs {
			b := descend(tx, "v1", namespace, "content", "blob", d.String())
			if b == nil {
				return fmt.Errorf("backdating %s: not in namespace %q", d, namespace)
			}
			for _, key := range []string{"createdat", "updatedat"} {
				if err := b.Put([]byte(key), value); err != nil {
					return fmt.Errorf("backdating %s: %w", d, err)
				}
			}
		}
		return nil
	})
}

func descend(tx *bolt.Tx, path ...string) *bolt.Bucket {
	b := tx.Bucket([]byte(path[0]))
	for _, name := range path[1:] {
		if b == nil {
			return nil
		}
		b = b.Bucket([]byte(name))
	}
	return b
}
