package gc

import (
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A condition is on the label of a record, and goes with it, also where
// something still refers to the record's name.
func TestConditionGoesWithItsRecord(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	root, target := digest.FromString("root"), digest.FromString("target")
	used := inventory.SnapshotKey{Snapshotter: "overlayfs", Key: "cache"}
	inv := &inventory.Inventory{Store: store.StoreInfo{Version: "2.4.2"}, Namespaces: []*inventory.Namespace{{
		Name: "default",
		Images: []images.Image{{
			Name: "a:1", Target: ocispec.Descriptor{Digest: target},
			Labels: map[string]string{"containerd.io/gc.cond.snapshot.overlayfs": "usedat<10h|cache"},
		}},
		Blobs: map[digest.Digest]inventory.Blob{
			target: {Size: 1},
			root: {Size: 1, Labels: inventory.LabelsOf(map[string]string{
				"containerd.io/gc.root": "yes", "containerd.io/gc.ref.image": "a:1",
			})},
		},
		Snapshots: map[inventory.SnapshotKey]inventory.Snapshot{used: {
			Labels: inventory.Labels{{Key: "containerd.io/gc.cond.value-usedat", Value: now.Add(-time.Hour).Format(time.RFC3339)}},
		}},
	}}}
	// A plan keeps a record that something refers to; others remove what they like.
	c := NewCollector(inv, now)
	gone := Change{Removed: map[graph.Node]bool{graph.ImageNode("default", "a:1"): true}}
	if freed := c.Frees(gone); len(freed.Snapshots) != 1 || len(freed.Blobs) != 1 {
		t.Errorf("%d snapshots and %d blobs go, want one of each", len(freed.Snapshots), len(freed.Blobs))
	}
}
