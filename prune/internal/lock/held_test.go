package lock

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// locked is a store with a run lease.
func locked(t *testing.T) database {
	t.Helper()
	s := newDatabase(t)
	must(0, Locker{Manager: s.manager}.Lock(s.ctx, "test", Run{Name: "r", Start: noon, Expires: noon.AddDate(9, 0, 0)}, noon))
	return s
}

// A document may be as long as one is read again, and not longer.
func TestLongDocuments(t *testing.T) {
	s := locked(t)
	doc := strings.Repeat("x", MaxDoc)
	must(Hold(s.ctx, s.content, []byte(doc), nil))
	if docs := must(s.held()); len(docs) != 1 || docs[0] != doc {
		t.Errorf("%d documents came back", len(docs))
	}
	if _, err := Hold(s.ctx, s.content, []byte(doc+"x"), nil); err == nil {
		t.Error("a document of any length is taken")
	}
}

// A plan whose file is gone, as after a power failure, is told of, and what
// there still is comes with it.
func TestLostPlan(t *testing.T) {
	s := locked(t)
	for _, doc := range []string{"gone", "whole"} {
		must(Hold(s.ctx, s.content, []byte(doc), nil))
	}
	gone := digest.FromString("gone")
	must(0, os.Remove(filepath.Join(s.dir, "content", "blobs", "sha256", gone.Encoded())))
	docs, err := s.held()
	lost := (*LostPlan)(nil)
	if !errors.As(err, &lost) || !slices.Equal(lost.Blobs, []digest.Digest{gone}) || !slices.Equal(docs, []string{"whole"}) {
		t.Errorf("%q came back, %v", docs, err)
	}
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

// No blob that is longer than a plan may be is read, whatever wrote it.
func TestHeldTooLarge(t *testing.T) {
	for _, c := range []struct {
		version string
		size    int64
		read    bool
	}{
		{"v2", MaxDoc, true}, {"v2", MaxDoc + 1, false}, {"v1", MaxDoc + 1, false}, {"v9", MaxDoc + 1, false},
	} {
		s := locked(t)
		must(Hold(s.ctx, s.content, []byte("plan"), nil))
		s.content = sized{s.content, c.size, c.version}
		docs, err := s.held()
		if (err == nil) != c.read || (len(docs) == 1) != c.read {
			t.Errorf("%s, %d bytes: %d plans, %v", c.version, c.size, len(docs), err)
		}
	}
}
