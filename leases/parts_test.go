package leases

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// longest notes the longest blob that is written or read.
type longest struct {
	content.Store
	bytes *int
}

func (l longest) Writer(ctx context.Context, opts ...content.WriterOpt) (content.Writer, error) {
	var o content.WriterOpts
	for _, opt := range opts {
		must(0, opt(&o))
	}
	*l.bytes = max(*l.bytes, int(o.Desc.Size))
	return l.Store.Writer(ctx, opts...)
}

func (l longest) ReaderAt(ctx context.Context, desc ocispec.Descriptor) (content.ReaderAt, error) {
	*l.bytes = max(*l.bytes, int(desc.Size))
	return l.Store.ReaderAt(ctx, desc)
}

// locked is a store with a run lease.
func locked(t *testing.T) store {
	t.Helper()
	s := newStore(t)
	must(0, Locker{Manager: s.manager}.Lock(s.ctx, "test", Run{Name: "r", Start: noon, Expires: noon.AddDate(9, 0, 0)}, noon))
	return s
}

// No blob is longer than a part, however long the document, and it comes back
// whole, even if its parts hold the same bytes; all of them, and the targets,
// are held.
func TestLongDocuments(t *testing.T) {
	s := locked(t)
	most := 0
	s.content = longest{s.content, &most}
	target := s.put("target")
	var docs []string
	for i, length := range []int{MaxPart, MaxPart + 1, 3*MaxPart + 7, 2 * (MaxPart - maxHead)} {
		doc := strings.Repeat("x", length-1) + fmt.Sprint(i)
		must(0, Hold(s.ctx, s.content, []byte(doc), []digest.Digest{target}))
		docs = append(docs, doc)
	}
	s.collect()
	if !s.has(target) {
		t.Error("the target is not held")
	}
	back := must(s.held())
	slices.Sort(docs)
	if !slices.Equal(docs, back) {
		t.Errorf("%d documents came back of %d, or others", len(back), len(docs))
	}
	if most > MaxPart {
		t.Errorf("a blob has %d bytes", most)
	}
	if held := must(s.manager.ListResources(s.ctx, leases.Lease{ID: RunID})); len(held) != 1+2+4+2 {
		t.Errorf("%d blobs are held", len(held))
	}
	if err := Hold(s.ctx, s.content, make([]byte, MaxDoc+1), nil); err == nil {
		t.Error("a document of any length is taken")
	}
}

// A run that is killed between two parts leaves a part that says nothing, and
// a document beside it can still be read.
func TestSomePartsOnly(t *testing.T) {
	s := locked(t)
	must(0, Hold(s.ctx, s.content, []byte("whole"), nil))
	doc := []byte(strings.Repeat("x", 3*MaxPart))
	parts, blob := cut(doc, MaxPart)
	for _, i := range []int{0, 2} {
		labels := map[string]string{labelPlan: "v2", labelPart: parts[i].head()}
		must(0, writePlan(s.ctx, s.content, blob(parts[i]), labels))
		if docs := must(s.held()); len(docs) != 1 || docs[0] != "whole" {
			t.Errorf("%d documents came back", len(docs))
		}
	}
}

// A part whose file is gone, as after a power failure, is told of; one that is
// labelled as another, or as none, is an error. The rest is read.
func TestDamagedParts(t *testing.T) {
	doc := []byte(strings.Repeat("x", MaxPart+1))
	parts, blob := cut(doc, MaxPart)
	for name, c := range map[string]struct {
		do   func(s store, second digest.Digest)
		lost bool
	}{
		"no file": {func(s store, second digest.Digest) {
			must(0, os.Remove(filepath.Join(s.dir, "content", "blobs", "sha256", second.Encoded())))
		}, true},
		"another's label": {func(s store, second digest.Digest) {
			other := parts[1]
			other.doc = digest.FromString("other")
			s.relabel(second, labelPart, other.head())
			s.relabel(digest.FromBytes(blob(parts[0])), labelPart, part{doc: other.doc, at: 0, of: 2}.head())
		}, false},
		"no label of one": {func(s store, second digest.Digest) { s.relabel(second, labelPart, "2 of 2") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := locked(t)
			must(0, Hold(s.ctx, s.content, doc, nil))
			must(0, Hold(s.ctx, s.content, []byte("whole"), nil))
			c.do(s, digest.FromBytes(blob(parts[1])))
			docs, err := s.held()
			lost := (*LostPlan)(nil)
			if err == nil || errors.As(err, &lost) != c.lost {
				t.Errorf("got %v", err)
			}
			if len(docs) != 1 || docs[0] != "whole" {
				t.Errorf("%d documents came back", len(docs))
			}
		})
	}
}

func (s store) relabel(dgst digest.Digest, key, value string) {
	must(s.content.Update(s.ctx, content.Info{Digest: dgst, Labels: map[string]string{key: value}}, "labels."+key))
}

// sized says of every blob that it has so many bytes, and that version of a
// plan's label, and reads it as empty.
type sized struct {
	content.Store
	size    int64
	version string
}

func (s sized) Info(ctx context.Context, dgst digest.Digest) (content.Info, error) {
	info, err := s.Store.Info(ctx, dgst)
	info.Size, info.Labels = s.size, map[string]string{labelPlan: s.version}
	return info, err
}

func (s sized) ReaderAt(context.Context, ocispec.Descriptor) (content.ReaderAt, error) {
	return empty{}, nil
}

type empty struct{ content.ReaderAt }

func (empty) ReadAt(p []byte, _ int64) (int, error) { return len(p), io.EOF }
func (empty) Close() error                          { return nil }

// No blob that is longer than a part may be is read, whatever wrote it.
func TestHeldTooLarge(t *testing.T) {
	for _, c := range []struct {
		version string
		size    int64
		read    bool
	}{
		{"v2", MaxPart, true}, {"v2", MaxPart + 1, false}, {"v1", MaxPart + 1, false}, {"v9", MaxPart + 1, false},
	} {
		s := locked(t)
		must(0, Hold(s.ctx, s.content, []byte("plan"), nil))
		s.content = sized{s.content, c.size, c.version}
		docs, err := s.held()
		if (err == nil) != c.read || (len(docs) == 1) != c.read {
			t.Errorf("%s, %d bytes: %d plans, %v", c.version, c.size, len(docs), err)
		}
	}
}

// Whatever a document holds and however short the parts, it is cut into no
// longer ones and joined again, and not if one is missing, twice there, out of
// order or not what it was.
func FuzzJoin(f *testing.F) {
	f.Fuzz(func(t *testing.T, doc []byte, room uint8, change, at uint16) {
		most := maxHead + 1 + int(room)
		parts, blob := cut(doc, most)
		blobs := make(map[part][]byte)
		for _, p := range parts {
			blobs[p] = blob(p)
			if len(blobs[p]) > most {
				t.Fatalf("a part has %d bytes of %d", len(blobs[p]), most)
			}
			if back, err := parsePart(p.head()); p.of <= MaxParts && (err != nil || back != p) {
				t.Fatalf("%q is read as %+v, %v", p.head(), back, err)
			}
		}
		read := func(p part) ([]byte, error) { return blobs[p], nil }
		if len(doc) == 0 {
			if _, err := join(parts, read); err == nil {
				t.Error("no parts made a document")
			}
			return
		}
		back, err := join(parts, read)
		if err != nil || !bytes.Equal(back, doc) {
			t.Fatalf("%d bytes in %d parts came back as %d, %v", len(doc), len(parts), len(back), err)
		}
		i, j := int(at)%len(parts), int(change>>8)%len(parts)
		switch change % 4 {
		case 0:
			parts = slices.Delete(parts, i, i+1)
		case 1:
			parts = slices.Insert(parts, i, parts[j])
		case 2:
			if i == j {
				return
			}
			parts[i], parts[j] = parts[j], parts[i]
		case 3:
			blobs[parts[i]][int(change>>8)%len(blobs[parts[i]])] ^= 1
		}
		if back, err := join(parts, read); err == nil && !bytes.Equal(back, doc) { // parts of the same bytes may change places
			t.Errorf("changed parts made a document of %d bytes", len(back))
		}
	})
}

// Only what head writes says which part a blob is.
func FuzzPart(f *testing.F) {
	f.Fuzz(func(t *testing.T, head string) {
		p, err := parsePart(head)
		if err != nil {
			if p != (part{}) {
				t.Errorf("%+v beside an error", p)
			}
			return
		}
		if p.head() != head || p.at < 0 || p.at >= p.of || p.of > MaxParts || len(head) >= maxHead {
			t.Errorf("%q is read as %+v", head, p)
		}
	})
}
