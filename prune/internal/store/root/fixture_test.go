package root

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	ptypes "github.com/containerd/containerd/v2/pkg/protobuf/types"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	bolt "go.etcd.io/bbolt"
	"go.uber.org/goleak"
)

// rootTestNS is the namespace of everything in the small store.
var rootTestNS = namespaces.WithNamespace(context.Background(), "test")

// rootTestNoLeaks fails the test for a goroutine that outlives it.
func rootTestNoLeaks(t *testing.T) {
	t.Helper()
	t.Cleanup(func() { goleak.VerifyNone(t) })
}

func rootTestMust[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// rootTestMake lays out a containerd root below a new directory as the daemon
// does, lets fill write to it, and closes it.
func rootTestMake(t *testing.T, fill func(*metadata.DB)) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "root")
	metaDir := filepath.Join(dir, "io.containerd.metadata.v1.bolt")
	if err := os.MkdirAll(metaDir, 0o711); err != nil {
		t.Fatal(err)
	}
	opts := *bolt.DefaultOptions
	opts.NoFreelistSync = true
	bdb, err := bolt.Open(filepath.Join(metaDir, "meta.db"), 0o644, &opts)
	if err != nil {
		t.Fatal(err)
	}
	sn, err := native.NewSnapshotter(filepath.Join(dir, "io.containerd.snapshotter.v1.native"))
	if err != nil {
		t.Fatal(err)
	}
	cs, err := local.NewStore(filepath.Join(dir, "io.containerd.content.v1.content"))
	if err != nil {
		t.Fatal(err)
	}
	db := metadata.NewDB(bdb, cs, map[string]snapshots.Snapshotter{"native": sn})
	if err := db.Init(rootTestNS); err != nil {
		t.Fatal(err)
	}
	fill(db)
	if err := sn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// rootTestBlob writes a blob that nothing refers to once its lease is gone.
func rootTestBlob(ctx context.Context, cs content.Store, text string) ocispec.Descriptor {
	d := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString(text), Size: int64(len(text))}
	r := bytes.NewReader([]byte(text))
	if err := content.WriteBlob(ctx, cs, "ref-"+text, r, d); err != nil {
		panic(err)
	}
	return d
}

// rootTestSmall fills a store with an image "kept" and a blob and a snapshot
// "loose" that only lease "l" holds, a container and a sandbox.
func rootTestSmall(db *metadata.DB) {
	lm := metadata.NewLeaseManager(db)
	lease := rootTestMust(lm.Create(rootTestNS, leases.WithID("l")))
	leased := leases.WithLease(rootTestNS, lease.ID)
	kept := rootTestBlob(leased, db.ContentStore(), "kept")
	rootTestBlob(leased, db.ContentStore(), "loose")
	rootTestMust(metadata.NewImageStore(db).Create(rootTestNS, images.Image{Name: "kept:1", Target: kept}))
	sn := db.Snapshotter("native")
	for _, key := range []string{"used", "loose"} {
		rootTestMust(sn.Prepare(leased, key, ""))
	}
	rootTestMust(metadata.NewContainerStore(db).Create(rootTestNS, containers.Container{
		ID: "c", Image: "kept:1", Snapshotter: "native", SnapshotKey: "used",
		Runtime: containers.RuntimeInfo{Name: "none"},
		Spec:    &ptypes.Any{TypeUrl: "test", Value: []byte("{}")},
	}))
	rootTestMust(metadata.NewSandboxStore(db).Create(rootTestNS, sandbox.Sandbox{ID: "s"}))
}

// rootTestTree records every file below dir: mode, size, times and content.
func rootTestTree(t *testing.T, dir string) map[string]string {
	t.Helper()
	tree := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%s %d", fi.Mode(), fi.ModTime().UnixNano())
		if fi.Mode().IsRegular() {
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += fmt.Sprintf(" %d %x", len(data), sha256.Sum256(data))
		}
		tree[path] = line
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func rootTestMeta(dir string) string {
	return filepath.Join(dir, "io.containerd.metadata.v1.bolt", "meta.db")
}

// rootTestEdit changes the closed database of a root behind containerd's back.
func rootTestEdit(t *testing.T, dir string, edit func(*bolt.Tx) error) {
	t.Helper()
	opts := *bolt.DefaultOptions
	opts.NoFreelistSync = true
	db, err := bolt.Open(rootTestMeta(dir), 0o644, &opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(edit); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func rootTestVersion(v int64) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error {
		return tx.Bucket([]byte("v1")).Put([]byte("version"), binary.AppendVarint(nil, v))
	}
}
