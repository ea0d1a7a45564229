package prune_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// bulkInventory has n unpacked images of five layers, three of them shared by
// ten images: what integration's bench fills real stores with.
func bulkInventory(n int) *inventory.Inventory {
	ns := &inventory.Namespace{Name: "default", Blobs: make(map[digest.Digest]inventory.Blob), Snapshots: make(map[inventory.SnapshotKey]inventory.Snapshot)}
	now := time.Unix(1_700_000_000, 0)
	blob := func(name string, labels map[string]string) digest.Digest {
		dgst := digest.FromString(name)
		ns.Blobs[dgst] = inventory.Blob{Size: 1000, CreatedAt: now, Labels: inventory.LabelsOf(labels)}
		return dgst
	}
	for i := range n {
		labels := map[string]string{"containerd.io/distribution.source.example": "bulk/app"}
		parent := ""
		for layer := range 5 {
			name := fmt.Sprintf("layer %d of %d", layer, i)
			if layer < 3 {
				name = fmt.Sprintf("layer %d of group %d", layer, i/10)
			}
			labels[fmt.Sprintf("containerd.io/gc.ref.content.l.%d", layer)] = blob(name, map[string]string{"containerd.io/uncompressed": digest.FromString(name + "u").String()}).String()
			key := digest.FromString("chain " + name).String()
			ns.Snapshots[inventory.SnapshotKey{Snapshotter: "overlayfs", Key: key}] = inventory.Snapshot{Parent: parent, Kind: snapshots.KindCommitted}
			parent = key
		}
		config := blob(fmt.Sprintf("config %d", i), map[string]string{"containerd.io/gc.ref.snapshot.overlayfs": parent})
		labels["containerd.io/gc.ref.content.config"] = config.String()
		target := blob(fmt.Sprintf("manifest %d", i), labels)
		ns.Images = append(ns.Images, images.Image{
			Name: fmt.Sprintf("bulk.example/app-%05d:1", i), CreatedAt: now, UpdatedAt: now,
			Target: ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: target, Size: 1000},
		})
	}
	return &inventory.Inventory{Store: store.StoreInfo{Kind: store.StoreDaemon, ID: "bench", Version: "2.4.2", Snapshotters: []string{"overlayfs"}}, Namespaces: []*inventory.Namespace{ns}}
}

func benchmarkSizes(b *testing.B, run func(b *testing.B, inv *inventory.Inventory, policy rules.Policy, now time.Time)) {
	for _, n := range []int{1000, 10_000} {
		inv := bulkInventory(n)
		policy := rules.Policy{Namespaces: []string{"default"}, Filters: filters.Everything()}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				run(b, inv, policy, time.Unix(1_800_000_000, 0))
			}
		})
	}
}

func BenchmarkPlan(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, inv *inventory.Inventory, policy rules.Policy, now time.Time) {
		if _, err := plan.NewPlan(inv, policy, now); err != nil {
			b.Fatal(err)
		}
	})
}

func BenchmarkUsage(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, inv *inventory.Inventory, policy rules.Policy, now time.Time) {
		tw.UsageOf(inv, policy, now, false)
	})
}

func BenchmarkExplain(b *testing.B) {
	benchmarkSizes(b, func(b *testing.B, inv *inventory.Inventory, policy rules.Policy, now time.Time) {
		if _, err := tw.ExplainedBy(inv, "bulk.example/app-00007:1", policy, now); err != nil {
			b.Fatal(err)
		}
	})
}
