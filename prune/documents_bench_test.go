package prune

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// documentsOf are n images of eight platforms of which one is there, with
// configs as builders write them, by their digests.
func documentsOf(n int) (texts map[digest.Digest][]byte, targets []digest.Digest) {
	texts = make(map[digest.Digest][]byte)
	add := func(v any) ocispec.Descriptor {
		text := must(json.Marshal(v))
		texts[digest.FromBytes(text)] = text
		return ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromBytes(text), Size: int64(len(text))}
	}
	for i := range n {
		config := ocispec.Image{Config: ocispec.ImageConfig{Labels: map[string]string{"number": fmt.Sprint(i)}, Cmd: []string{"serve"}}}
		for j := range 12 {
			config.Config.Env = append(config.Config.Env, fmt.Sprintf("VARIABLE_%d=/usr/local/share/of/number/%d", j, i))
			config.History = append(config.History, ocispec.History{CreatedBy: fmt.Sprintf("RUN make install of step %d of image %d", j, i)})
		}
		manifest := ocispec.Manifest{Config: add(config)}
		for j := range 10 {
			manifest.Layers = append(manifest.Layers, ocispec.Descriptor{Digest: digest.FromString(fmt.Sprint(i, j)), Size: 1 << 20})
		}
		index := ocispec.Index{Manifests: []ocispec.Descriptor{add(manifest)}}
		for j := range 7 {
			absent := descriptor(fmt.Sprint("absent ", i, j))
			absent.Platform = &ocispec.Platform{OS: "linux", Architecture: fmt.Sprint("arch", j)}
			index.Manifests = append(index.Manifests, absent)
		}
		targets = append(targets, add(index).Digest)
	}
	return texts, targets
}

// BenchmarkShelf measures what is kept of manifests and configs while those of
// all images are read for a filter on labels.
func BenchmarkShelf(b *testing.B) {
	const images = 10_000
	texts, targets := documentsOf(images)
	ns := &inventory.Namespace{Name: "default", Blobs: make(map[digest.Digest]content.Info, len(texts))}
	for dgst, text := range texts {
		ns.Blobs[dgst] = content.Info{Digest: dgst, Size: int64(len(text))}
	}
	heap := func() float64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc)
	}
	b.ReportAllocs()
	for b.Loop() {
		before := heap()
		l := &manifests.Library{Ns: ns, Provider: newShelf(texts), Shelf: make(map[digest.Digest]*manifests.Entry)}
		for _, target := range targets {
			if c := l.Configs(context.Background(), target); len(c.Labels) != 1 {
				b.Fatal(c.Problem)
			}
		}
		b.ReportMetric((heap()-before)/images, "held-B/image")
		runtime.KeepAlive(l)
	}
}
