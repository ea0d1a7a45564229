package imagestore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/identity"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	bolt "go.etcd.io/bbolt"
)

// manyAtOnce is how many groups of images share a transaction.
const manyAtOnce = 500

// many fills a root with images that nobody could start.
type many struct {
	*Embedded
	namespace string
	meta      *storage.MetaStore
	made      uint64 // snapshots
}

// Many adds as many images to an overlayfs store as Bulk does, with the same
// layers and the labels that a pull and an unpacking leave, but writes them as
// containerd would have them on the disk, so that a million blobs take minutes
// and not hours: layers are a few bytes, and snapshots are empty. The root must
// not be open, and have none of these images, whose numbers begin with a multiple
// of ten.
func Many(ctx context.Context, root, namespace string, first, n int) (err error) {
	e, err := OpenEmbedded(ctx, root, "overlayfs")
	if err != nil {
		return err
	}
	if err := e.snapshots.Close(); err != nil { // its database is to be written by us
		return err
	}
	meta, err := storage.NewMetaStore(e.snapshotterFile("metadata.db"))
	if err != nil {
		return err
	}
	m := &many{Embedded: e, namespace: namespace, meta: meta}
	defer func() { err = errors.Join(err, meta.Close(), e.bolt.Sync(), e.bolt.Close()) }()
	for from := first; from < first+n; from += manyAtOnce * bulkGroup {
		if err := m.add(ctx, from, min(first+n, from+manyAtOnce*bulkGroup)); err != nil {
			return fmt.Errorf("filling %s with %d images: %w", root, n, err)
		}
	}
	return nil
}

func (e *Embedded) snapshotterFile(parts ...string) string {
	return filepath.Join(append([]string{e.root, "io.containerd.snapshotter.v1.overlayfs"}, parts...)...)
}

// add makes the images of some numbers.
func (m *many) add(ctx context.Context, from, to int) error {
	var batch manyBatch
	for i := from; i < to; i++ {
		if err := batch.image(i); err != nil {
			return err
		}
	}
	if err := m.Plant(m.namespace, batch.blobs...); err != nil {
		return err
	}
	if err := m.Records(ctx, m.namespace, batch.records...); err != nil {
		return err
	}
	return m.unpack(ctx, batch.snapshots)
}

// manySnapshot is a committed snapshot and its parent, by their chain IDs.
type manySnapshot struct{ key, parent string }

// manyBatch is what is written at once.
type manyBatch struct {
	blobs     []Plant
	records   []images.Image
	snapshots []manySnapshot
	base      []ocispec.Descriptor
	diffs     []digest.Digest
}

// image adds one image; the first of a group also the layers that it shares.
func (b *manyBatch) image(i int) error {
	if i%bulkGroup == 0 {
		b.base, b.diffs = nil, nil
		for l := range bulkShared {
			b.base, b.diffs = b.layer(b.base, b.diffs, fmt.Sprintf("shared %d/%d", i, l))
		}
	}
	layers, diffs := b.base[:bulkShared:bulkShared], b.diffs[:bulkShared:bulkShared]
	for l := range bulkOwn {
		layers, diffs = b.layer(layers, diffs, fmt.Sprintf("own %d/%d", i, l))
	}
	config := ocispec.Image{Platform: ocispec.Platform{Architecture: "amd64", OS: "linux"}, RootFS: ocispec.RootFS{Type: "layers", DiffIDs: diffs}}
	configDesc, err := b.document(ocispec.MediaTypeImageConfig, config, map[string]string{
		"containerd.io/gc.ref.snapshot.overlayfs": identity.ChainID(diffs).String(),
	})
	if err != nil {
		return err
	}
	labels := map[string]string{"containerd.io/gc.ref.content.config": configDesc.Digest.String()}
	for n, layer := range layers {
		labels["containerd.io/gc.ref.content.l."+strconv.Itoa(n)] = layer.Digest.String()
	}
	manifest := ocispec.Manifest{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest, Config: configDesc, Layers: layers}
	target, err := b.document(ocispec.MediaTypeImageManifest, manifest, labels)
	if err != nil {
		return err
	}
	b.records = append(b.records, images.Image{Name: fmt.Sprintf("many.example/team/app-%06d:1.0", i), Target: target})
	return nil
}

// layer adds a layer and its snapshot on top of others.
func (b *manyBatch) layer(layers []ocispec.Descriptor, diffs []digest.Digest, text string) ([]ocispec.Descriptor, []digest.Digest) {
	diff := digest.FromString("diff of " + text)
	desc := b.blob(ocispec.MediaTypeImageLayerGzip, []byte(text), map[string]string{"containerd.io/uncompressed": diff.String()})
	parent := identity.ChainID(diffs).String()
	layers, diffs = append(layers, desc), append(diffs, diff)
	b.snapshots = append(b.snapshots, manySnapshot{identity.ChainID(diffs).String(), parent})
	return layers, diffs
}

func (b *manyBatch) document(mediaType string, v any, labels map[string]string) (ocispec.Descriptor, error) {
	data, err := json.Marshal(v)
	return b.blob(mediaType, data, labels), err
}

// blob adds a blob as one that was pulled.
func (b *manyBatch) blob(mediaType string, data []byte, labels map[string]string) ocispec.Descriptor {
	labels["containerd.io/distribution.source.many.example"] = "team/app"
	dgst := digest.FromBytes(data)
	b.blobs = append(b.blobs, Plant{Digest: dgst, Data: data, Labels: labels})
	return ocispec.Descriptor{MediaType: mediaType, Digest: dgst, Size: int64(len(data))}
}

// unpack writes snapshots into both databases, and their folders.
func (m *many) unpack(ctx context.Context, list []manySnapshot) error {
	return m.bolt.Update(func(tx *bolt.Tx) error {
		all, err := makeBuckets(tx, "v1", m.namespace, "snapshots", "overlayfs")
		if err != nil {
			return err
		}
		return m.meta.WithTransaction(ctx, true, func(ctx context.Context) error {
			for _, s := range list {
				if err := m.snapshot(ctx, all, s); err != nil {
					return fmt.Errorf("snapshot %s: %w", s.key, err)
				}
			}
			return nil
		})
	})
}

// snapshot writes one. The metadata is laid out as in containerd's
// core/metadata/buckets.go.
func (m *many) snapshot(ctx context.Context, all *bolt.Bucket, s manySnapshot) error {
	m.made++
	name, parent := fmt.Sprintf("%s/%d/%s", m.namespace, m.made, s.key), ""
	fields := map[string][]byte{"name": []byte(name)}
	if above := all.Bucket([]byte(s.parent)); s.parent != "" && above != nil {
		parent, fields["parent"] = string(above.Get([]byte("name"))), []byte(s.parent)
		children, err := above.CreateBucketIfNotExists([]byte("children"))
		if err != nil {
			return err
		}
		if err := children.Put([]byte(s.key), nil); err != nil {
			return err
		}
	}
	if err := putAll(all, s.key, fields); err != nil {
		return err
	}
	active, err := storage.CreateSnapshot(ctx, snapshots.KindActive, "active "+name, parent)
	if err != nil {
		return err
	}
	if _, err := storage.CommitActive(ctx, "active "+name, name, snapshots.Usage{Size: 4096, Inodes: 1}); err != nil {
		return err
	}
	return os.MkdirAll(m.snapshotterFile("snapshots", active.ID, "fs"), 0o755)
}

// putAll makes an object of the metadata, labelled as one that was unpacked.
func putAll(all *bolt.Bucket, key string, fields map[string][]byte) error {
	b, err := all.CreateBucket([]byte(key))
	if err != nil {
		return err
	}
	if fields["createdat"], err = time.Now().UTC().MarshalBinary(); err != nil {
		return err
	}
	fields["updatedat"] = fields["createdat"]
	for field, value := range fields {
		if err := b.Put([]byte(field), value); err != nil {
			return err
		}
	}
	labels, err := b.CreateBucket([]byte("labels"))
	if err != nil {
		return err
	}
	return labels.Put([]byte(snapshots.LabelSnapshotRef), []byte(key))
}
