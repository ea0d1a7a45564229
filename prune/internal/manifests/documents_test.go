package manifests_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// documentsOf are n images of eight platforms of which one is there, with
// configs as builders write them, by their digests.
func documentsOf(n int) (texts map[digest.Digest][]byte, targets []digest.Digest) {
	texts = make(map[digest.Digest][]byte)
	add := func(v any) ocispec.Descriptor {
		text := tw.Must(json.Marshal(v))
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
			absent := tw.Descriptor(fmt.Sprint("absent ", i, j))
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
	ns := &inventory.Namespace{Name: "default", Blobs: make(map[digest.Digest]inventory.Blob, len(texts))}
	for dgst, text := range texts {
		ns.Blobs[dgst] = inventory.Blob{Size: int64(len(text))}
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
		l := &manifests.Library{Namespace: ns, Provider: newShelf(texts), Shelf: make(map[digest.Digest]*manifests.Entry)}
		for _, target := range targets {
			if c := l.Configs(context.Background(), target); len(c.Labels) != 1 {
				b.Fatal(c.Problem)
			}
		}
		b.ReportMetric((heap()-before)/images, "held-B/image")
		runtime.KeepAlive(l)
	}
}

// shelf is a content provider of a few texts that counts how often each is
// opened and how much of it is read.
type shelf struct {
	texts map[digest.Digest][]byte

	mu     sync.Mutex
	opened map[digest.Digest]int
	read   map[digest.Digest]int64
}

func newShelf(texts map[digest.Digest][]byte) *shelf {
	return &shelf{texts: texts, opened: make(map[digest.Digest]int), read: make(map[digest.Digest]int64)}
}

func (s *shelf) ReaderAt(_ context.Context, desc ocispec.Descriptor) (content.ReaderAt, error) {
	text, ok := s.texts[desc.Digest]
	if !ok {
		return nil, errdefs.ErrNotFound
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened[desc.Digest]++
	return &book{bytes.NewReader(text), s, desc.Digest}, nil
}

type book struct {
	*bytes.Reader
	s    *shelf
	dgst digest.Digest
}

func (b *book) ReadAt(p []byte, off int64) (int, error) {
	n, err := b.Reader.ReadAt(p, off)
	b.s.mu.Lock()
	defer b.s.mu.Unlock()
	b.s.read[b.dgst] += int64(n)
	return n, err
}

func (b *book) Size() int64 { return b.Reader.Size() }

func (b *book) Close() error { return nil }

var _ io.ReaderAt = (*book)(nil)

// Manifests, indexes and configs may hold anything, and name each other in
// circles: $a, $b and $c are the digests of the three. Each is read at most
// once, and what is judged of them is labels or a problem, and the same again.
func FuzzDocument(f *testing.F) {
	f.Fuzz(func(t *testing.T, a, b, c string) {
		names := strings.NewReplacer("$a", tw.Digest("a").String(), "$b", tw.Digest("b").String(), "$c", tw.Digest("c").String())
		texts := map[digest.Digest][]byte{}
		ns := &inventory.Namespace{Name: "default", Blobs: map[digest.Digest]inventory.Blob{}}
		for name, text := range map[string]string{"a": a, "b": b, "c": c} {
			full := []byte(names.Replace(text))
			texts[tw.Digest(name)] = full
			ns.Blobs[tw.Digest(name)] = inventory.Blob{Size: int64(len(full))}
		}
		s := newShelf(texts)
		l := &manifests.Library{Namespace: ns, Provider: s, Shelf: make(map[digest.Digest]*manifests.Entry)}
		for _, name := range []string{"a", "b", "c"} {
			first := l.Configs(t.Context(), tw.Digest(name))
			if (first.Problem == "") == (len(first.Labels) == 0) {
				t.Errorf("%s: %d platforms, and the problem %q", name, len(first.Labels), first.Problem)
			}
			if again := l.Configs(t.Context(), tw.Digest(name)); again.Problem != first.Problem || len(again.Labels) != len(first.Labels) {
				t.Errorf("%s: %+v, and at the second look %+v", name, first, again)
			}
			if subject, _ := l.Subject(t.Context(), tw.Digest(name)); subject != "" && subject.Validate() != nil {
				t.Errorf("%s is about %q", name, subject)
			}
		}
		for dgst, n := range s.opened {
			if n > 1 || s.read[dgst] > int64(len(texts[dgst])) {
				t.Errorf("%s was opened %d times, %d bytes were read", dgst, n, s.read[dgst])
			}
		}
	})
}
