package store

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	bolt "go.etcd.io/bbolt"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// contentStore is containerd's own, in a directory of the test.
func contentStore(t *testing.T) (context.Context, content.Store) {
	t.Helper()
	dir := t.TempDir()
	bdb := must(bolt.Open(filepath.Join(dir, "meta.db"), 0o600, &bolt.Options{NoSync: true, NoFreelistSync: true}))
	t.Cleanup(func() { must(0, bdb.Close()) })
	db := metadata.NewDB(bdb, must(local.NewStore(filepath.Join(dir, "content"))), nil)
	ctx := namespaces.WithNamespace(context.Background(), "test")
	must(0, db.Init(ctx))
	return ctx, db.ContentStore()
}

func put(ctx context.Context, blobs content.Store, text string) digest.Digest {
	desc := ocispec.Descriptor{Digest: digest.FromString(text), Size: int64(len(text))}
	must(0, content.WriteBlob(ctx, blobs, "put-"+text, strings.NewReader(text), desc))
	return desc.Digest
}
