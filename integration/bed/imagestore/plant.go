package imagestore

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/metadata/boltutil"
	"github.com/opencontainers/go-digest"
	bolt "go.etcd.io/bbolt"
)

// Plant is a blob as no client would write it: its file and what the metadata
// says of it need not agree.
type Plant struct {
	Digest digest.Digest
	Labels map[string]string
	// Data are the file's bytes, and Length how long it is: what is beyond
	// Data takes no room on the disk.
	Data   []byte
	Length int64
	// Size is what the metadata says, the file's length unless Lies is set.
	Size int64
	Lies bool
}

// Plant puts blobs into a namespace, all in one transaction and past all
// checks, with labels of any number and length.
func (e *Embedded) Plant(namespace string, blobs ...Plant) error {
	for _, b := range blobs {
		if err := e.plantFile(b); err != nil {
			return fmt.Errorf("planting blob %s: %w", b.Digest, err)
		}
	}
	return e.bolt.Update(func(tx *bolt.Tx) error {
		// The path is the layout of containerd's core/metadata/buckets.go.
		all, err := makeBuckets(tx, "v1", namespace, "content", "blob")
		if err != nil {
			return err
		}
		for _, b := range blobs {
			if err := plantInfo(all, b); err != nil {
				return fmt.Errorf("planting blob %s: %w", b.Digest, err)
			}
		}
		return nil
	})
}

func (e *Embedded) plantFile(b Plant) error {
	path := filepath.Join(e.root, "io.containerd.content.v1.content", "blobs", b.Digest.Algorithm().String(), b.Digest.Encoded())
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, b.Data, 0o644); err != nil {
		return err
	}
	if b.Length <= int64(len(b.Data)) {
		return nil
	}
	return os.Truncate(path, b.Length)
}

func plantInfo(all *bolt.Bucket, b Plant) error {
	info, err := all.CreateBucketIfNotExists([]byte(b.Digest))
	if err != nil {
		return err
	}
	size := b.Size
	if !b.Lies {
		size = max(b.Length, int64(len(b.Data)))
	}
	now, err := time.Now().UTC().MarshalBinary()
	if err != nil {
		return err
	}
	for key, value := range map[string][]byte{"createdat": now, "updatedat": now, "size": binary.AppendVarint(nil, size)} {
		if err := info.Put([]byte(key), value); err != nil {
			return err
		}
	}
	if len(b.Labels) == 0 {
		return nil
	}
	labels, err := info.CreateBucketIfNotExists([]byte("labels"))
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(b.Labels)) { // bolt takes seconds for many in another order
		if err := labels.Put([]byte(key), []byte(b.Labels[key])); err != nil {
			return err
		}
	}
	return nil
}

func makeBuckets(tx *bolt.Tx, path ...string) (*bolt.Bucket, error) {
	b, err := tx.CreateBucketIfNotExists([]byte(path[0]))
	for _, name := range path[1:] {
		if err != nil {
			return nil, err
		}
		b, err = b.CreateBucketIfNotExists([]byte(name))
	}
	return b, err
}

// Records makes image records, all in one transaction.
func (e *Embedded) Records(ctx context.Context, namespace string, records ...images.Image) error {
	store := metadata.NewImageStore(e.db)
	return e.db.Update(func(tx *bolt.Tx) error {
		ctx := boltutil.WithTransaction(e.Store(namespace).Context(ctx), tx)
		for _, r := range records {
			if _, err := store.Create(ctx, r); err != nil {
				return fmt.Errorf("recording image %.80q: %w", r.Name, err)
			}
		}
		return nil
	})
}

// Bucket makes the bucket of a path in the metadata, with the given values.
func (e *Embedded) Bucket(values map[string]string, path ...string) error {
	return e.bolt.Update(func(tx *bolt.Tx) error {
		b, err := makeBuckets(tx, path...)
		if err != nil {
			return err
		}
		for key, value := range values {
			if err := b.Put([]byte(key), []byte(value)); err != nil {
				return err
			}
		}
		return nil
	})
}
