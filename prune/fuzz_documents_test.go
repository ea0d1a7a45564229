package prune

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

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

func (b *book) Size() int64  { return b.Reader.Size() }
func (b *book) Close() error { return nil }

var _ io.ReaderAt = (*book)(nil)

// Manifests, indexes and configs may hold anything, and name each other in
// circles: $a, $b and $c are the digests of the three. Each is read at most
// once, and what is judged of them is labels or a problem, and the same again.
func FuzzDocument(f *testing.F) {
	f.Fuzz(func(t *testing.T, a, b, c string) {
		names := strings.NewReplacer("$a", dig("a").String(), "$b", dig("b").String(), "$c", dig("c").String())
		texts := map[digest.Digest][]byte{}
		ns := &inventory.Namespace{Name: "default", Blobs: map[digest.Digest]content.Info{}}
		for name, text := range map[string]string{"a": a, "b": b, "c": c} {
			full := []byte(names.Replace(text))
			texts[dig(name)] = full
			ns.Blobs[dig(name)] = content.Info{Digest: dig(name), Size: int64(len(full))}
		}
		s := newShelf(texts)
		l := &manifests.Library{Ns: ns, Provider: s, Shelf: make(map[digest.Digest]*manifests.Entry)}
		for _, name := range []string{"a", "b", "c"} {
			first := l.Configs(t.Context(), dig(name))
			if (first.Problem == "") == (len(first.Labels) == 0) {
				t.Errorf("%s: %d platforms, and the problem %q", name, len(first.Labels), first.Problem)
			}
			if again := l.Configs(t.Context(), dig(name)); again.Problem != first.Problem || len(again.Labels) != len(first.Labels) {
				t.Errorf("%s: %+v, and at the second look %+v", name, first, again)
			}
			if subject, _ := l.Subject(t.Context(), dig(name)); subject != "" && subject.Validate() != nil {
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
