package root

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/errdefs"
)

// Where a snapshotter was given another directory later, the one in the root is
// left from before: it has none of the snapshots that containerd knows.
func TestOpenRootWithAnotherSnapshotterDirectory(t *testing.T) {
	dir := rootTestMake(t, rootTestSmall)
	left := rootTestMake(t, func(db *metadata.DB) {
		ctx := namespaces.WithNamespace(context.Background(), "before")
		rootTestMust(db.Snapshotter("native").Prepare(ctx, "left", ""))
	})
	const native = "io.containerd.snapshotter.v1.native"
	if err := os.Rename(filepath.Join(dir, native), filepath.Join(t.TempDir(), "elsewhere")); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(left, native), filepath.Join(dir, native)); err != nil {
		t.Fatal(err)
	}
	rootTestRefused(t, dir, errdefs.ErrFailedPrecondition, "snapshots of native are not in "+native+", so containerd is probably configured with another root_path")
}
