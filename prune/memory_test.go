package prune_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// What a blob may take in memory, with its share of the images and snapshots.
const (
	bytesRead    = 512
	bytesPlanned = 1000
)

// pulled is a store with so many images of five layers, three of them shared by
// ten images, and the labels that a pull leaves. Whatever it tells is made anew, as
// what comes over a socket is.
type pulled struct {
	store.Store
	images int
}

func (s pulled) Images() images.Store   { return pulledImages{s.Store.Images(), s} }
func (s pulled) Content() content.Store { return pulledContent{s.Store.Content(), s} }
func (s pulled) Snapshotter(name string) snapshots.Snapshotter {
	return pulledSnapshots{s.Store.Snapshotter(name), s, name == "memory"}
}
func (s pulled) BlobFiles(context.Context) (map[digest.Digest]struct{}, error) {
	return nil, errdefs.ErrUnavailable
}

// layer names a layer of an image.
func layer(image, n int) string {
	if n < 3 {
		image -= image % 10
	}
	return fmt.Sprintf("layer %d of %d", n, image)
}

// owns says whether the image is the first with the layer.
func owns(image, n int) bool { return n >= 3 || image%10 == 0 }

func named(kind string, image int) digest.Digest {
	return digest.FromString(fmt.Sprint(kind, image))
}

func chain(image, n int) string { return digest.FromString("chain " + layer(image, n)).String() }

type pulledImages struct {
	images.Store
	pulled
}

func (s pulledImages) List(context.Context, ...string) ([]images.Image, error) {
	list := make([]images.Image, s.images)
	for i := range list {
		list[i] = images.Image{
			Name: fmt.Sprintf("registry.example/team/app-%06d:1.0", i), CreatedAt: tw.MonthAgo, UpdatedAt: tw.MonthAgo,
			Target: ocispec.Descriptor{MediaType: fmt.Sprint(ocispec.MediaTypeImageManifest), Digest: named("manifest", i), Size: 1000},
			Labels: map[string]string{inventory.LabelManaged: fmt.Sprint(inventory.ValueManaged)},
		}
	}
	return list, nil
}

type pulledContent struct {
	content.Store
	pulled
}

func (s pulledContent) Walk(_ context.Context, visit content.WalkFunc, _ ...string) error {
	blob := func(dgst digest.Digest, labels map[string]string) error {
		labels["containerd.io/distribution.source.registry.example"] = strings.Clone("team/app")
		return visit(content.Info{Digest: dgst, Size: 1000, CreatedAt: tw.MonthAgo, UpdatedAt: tw.MonthAgo, Labels: labels})
	}
	for i := range s.images {
		refs := map[string]string{fmt.Sprint(store.ContentLabel, "config"): named("config", i).String()}
		for n := range 5 {
			dgst := digest.FromString(layer(i, n))
			refs[fmt.Sprintf("%sl.%d", store.ContentLabel, n)] = dgst.String()
			if !owns(i, n) {
				continue
			}
			if err := blob(dgst, map[string]string{"containerd.io/uncompressed": digest.FromString("tar of " + layer(i, n)).String()}); err != nil {
				return err
			}
		}
		if err := blob(named("manifest", i), refs); err != nil {
			return err
		}
		if err := blob(named("config", i), map[string]string{fmt.Sprint(store.SnapshotLabel, "memory"): chain(i, 4)}); err != nil {
			return err
		}
	}
	return nil
}

type pulledSnapshots struct {
	snapshots.Snapshotter
	pulled
	filled bool
}

func (s pulledSnapshots) Walk(ctx context.Context, visit snapshots.WalkFunc, filters ...string) error {
	if !s.filled {
		return s.Snapshotter.Walk(ctx, visit, filters...)
	}
	for i := range s.images {
		for n := range 5 {
			if !owns(i, n) {
				continue
			}
			info := snapshots.Info{
				Kind: snapshots.KindCommitted, Name: chain(i, n), Created: tw.MonthAgo, Updated: tw.MonthAgo,
				Labels: map[string]string{snapshots.LabelSnapshotRef: chain(i, n)},
			}
			if n > 0 {
				info.Parent = chain(i, n-1)
			}
			if err := visit(ctx, info); err != nil {
				return err
			}
		}
	}
	return nil
}

// heap is the memory in use after a collection of garbage.
func heap() int {
	runtime.GC()
	runtime.GC() // what only the first one finds to be garbage
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// A million blobs have to fit into a gigabyte, with what is planned about them.
func TestMemoryOfABlob(t *testing.T) {
	s := pulled{tw.NewScene(t, tw.World{"default": {}}).Store, 5000}
	policy, now := rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}, time.Now()
	before := heap()
	inv := tw.Must(read.Read(t.Context(), s, policy.Scope(), now, read.ReadOptions{}))
	blobs := len(inv.Namespaces[0].Blobs)
	if blobs < 20_000 {
		t.Fatalf("%d blobs", blobs)
	}
	atMost(t, "an inventory", (heap()-before)/blobs, bytesRead)
	p, m, err := plan.NewPlanAndModel(inv, policy, now, nil)
	if err != nil {
		t.Fatal(err)
	}
	if freed := p.Predicted(); freed.Blobs != blobs {
		t.Fatalf("of %d blobs %+v are freed", blobs, freed)
	}
	atMost(t, "with its plan it", (heap()-before)/blobs, bytesPlanned)
	runtime.KeepAlive([]any{inv, p, m})
}

func atMost(t *testing.T, what string, bytes, most int) {
	t.Helper()
	t.Logf("%s has %d bytes a blob", what, bytes)
	if bytes > most {
		t.Errorf("%s has %d bytes a blob, more than %d", what, bytes, most)
	}
}
