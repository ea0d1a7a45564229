package testworld

import (
	"fmt"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// CRISpace is the namespace of CRI, as it was read, with images of one manifest and one config each,
// named by single letters: the config of "a" is digest "a config".
func CRISpace(records map[string]string) *inventory.Namespace {
	ns := &inventory.Namespace{Name: store.CRINamespace, Blobs: map[digest.Digest]inventory.Blob{}}
	for name, letter := range records {
		target := digest.FromString(letter)
		ns.Images = append(ns.Images, images.Image{Name: name, Target: ocispec.Descriptor{Digest: target}})
		ns.Blobs[target] = inventory.Blob{Labels: inventory.Labels{{Key: "containerd.io/gc.ref.content.config", Value: CRIID(letter)}}}
		ns.Blobs[digest.Digest(CRIID(letter))] = inventory.Blob{}
	}
	return ns
}

// CRIID is the name that CRI gives to an image of a [CRISpace].
func CRIID(letter string) string { return digest.FromString(letter + " config").String() }

// Small is a namespace with two unused images, which share the layer e.
func Small(more ...Thing) World {
	return World{"default": With([]Thing{
		Blob("a", RefContent("e")), Blob("b", RefContent("e")), Blob("e"),
		Record("x:1", "a", Labelled("team", "red")), Record("x:2", "b"),
	}, more...)}
}

// BundleNow is a bundle whose further names have just expired.
func BundleNow() []Thing {
	over := Expiring(time.Now().Add(-time.Minute))
	return []Thing{
		Record("base:1", "index"), Blob("index"),
		Record("app-1:1", "one", over, BackImage("base:1")), Blob("one"),
		Record("app-2:1", "two", over, BackImage("base:1")), Blob("two"),
	}
}

// Thousands is [Small] with so many more records that a plan of them takes
// several blobs, and how many more these are.
func Thousands() (World, int) {
	w := Small()
	const records = 700
	long := strings.Repeat("long", 5000)
	for i := range records {
		w["default"] = append(w["default"], Record(fmt.Sprintf("%s:%d", long, i), string("ab"[i%2])))
	}
	return w, records
}

// UsageStore is an inventory with an image "keep" that a container uses, an image "go" that
// shares its base layer and whose config a lease holds, and garbage.
func UsageStore() *inventory.Inventory {
	d := func(s string) digest.Digest { return digest.FromString(s) }
	info := func(s string, size int64, labels map[string]string) content.Info {
		return content.Info{Digest: d(s), Size: size, Labels: labels}
	}
	blobs := make(map[digest.Digest]inventory.Blob)
	for _, i := range []content.Info{
		info("keep", 1, map[string]string{store.ContentLabel + "config": d("keep-config").String(), store.ContentLabel + "l.0": d("base").String(), store.ContentLabel + "l.1": d("keep-top").String()}),
		info("keep-config", 2, map[string]string{"containerd.io/gc.ref.snapshot.overlayfs": d("chain").String()}),
		info("base", 100, nil), info("keep-top", 50, nil),
		info("go", 3, map[string]string{store.ContentLabel + "config": d("go-config").String(), store.ContentLabel + "l.0": d("base").String(), store.ContentLabel + "l.1": d("go-top").String()}),
		info("go-config", 4, nil), info("go-top", 70, nil),
		info("garbage", 9, nil),
	} {
		blobs[i.Digest] = inventory.NewBlob(i)
	}
	image := func(name, target string) images.Image {
		return images.Image{Name: name, Target: ocispec.Descriptor{Digest: d(target)}}
	}
	chain := inventory.SnapshotKey{Snapshotter: "overlayfs", Key: d("chain").String()}
	writable := inventory.SnapshotKey{Snapshotter: "overlayfs", Key: "c"}
	return (&inventory.Inventory{
		Store: store.StoreInfo{Version: "2.4.2"},
		Namespaces: []*inventory.Namespace{{
			Name:   "default",
			Images: []images.Image{image("docker.io/library/go:1", "go"), image("docker.io/library/keep:1", "keep")},
			Blobs:  blobs,
			Snapshots: map[inventory.SnapshotKey]inventory.Snapshot{
				chain:    {Kind: snapshots.KindCommitted},
				writable: {Parent: chain.Key, Kind: snapshots.KindActive},
			},
			Containers: []containers.Container{{ID: "c", Image: "docker.io/library/keep:1", Snapshotter: "overlayfs", SnapshotKey: "c"}},
			Leases:     []inventory.Lease{{Lease: leases.Lease{ID: "build"}, Resources: []leases.Resource{{ID: d("go-config").String(), Type: "content"}}}},
			Uses:       []inventory.Use{{Holder: cause.Holder{Kind: "container", ID: "c"}, Image: "docker.io/library/keep:1"}},
		}},
	}).WithSizes(inventory.Sizes{{Namespace: "default", SnapshotKey: chain}: 200, {Namespace: "default", SnapshotKey: writable}: 20})
}
