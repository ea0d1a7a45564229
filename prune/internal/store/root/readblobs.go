package root

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// rootBlobs reads the files of the content store. containerd's own package writes
// when it opens one, to test the file system. The metadata store, which asks this
// one, has the rest.
type rootBlobs struct{ dir string }

var _ content.Store = rootBlobs{}

func (b rootBlobs) ReaderAt(_ context.Context, desc ocispec.Descriptor) (content.ReaderAt, error) {
	path := store.BlobFile(b.dir, desc.Digest)
	if path == "" {
		return nil, fmt.Errorf("%q is not a digest: %w", desc.Digest, errdefs.ErrInvalidArgument)
	}
	return local.OpenReader(path)
}

func (b rootBlobs) Info(_ context.Context, dgst digest.Digest) (content.Info, error) {
	size, err := store.SizeOfBlobFile(b.dir, dgst)
	return content.Info{Digest: dgst, Size: size}, missing(err)
}

// Status tells of an upload what its directory says.
func (b rootBlobs) Status(_ context.Context, ref string) (content.Status, error) {
	dir := filepath.Join(b.dir, "ingest", digest.FromString(ref).Encoded())
	data, err := os.Stat(filepath.Join(dir, "data"))
	if err != nil {
		return content.Status{}, missing(err)
	}
	s := content.Status{Ref: ref, Offset: data.Size()}
	s.StartedAt, err = readTime(filepath.Join(dir, "startedat"))
	if err != nil {
		return s, missing(err)
	}
	s.UpdatedAt, err = readTime(filepath.Join(dir, "updatedat"))
	if err != nil {
		return s, missing(err)
	}
	total, err := os.ReadFile(filepath.Join(dir, "total"))
	if err == nil {
		s.Total, err = strconv.ParseInt(string(total), 10, 64)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return s, err
}

func readTime(path string) (at time.Time, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return at, err
	}
	return at, at.UnmarshalText(text)
}

// missing marks the error of a file that is not there as containerd does.
func missing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return store.Cause(errdefs.ErrNotFound, err)
	}
	return err
}

func (rootBlobs) ListStatuses(context.Context, ...string) ([]content.Status, error) {
	return nil, errReadOnly
}

func (rootBlobs) Walk(context.Context, content.WalkFunc, ...string) error { return errReadOnly }

func (rootBlobs) Update(context.Context, content.Info, ...string) (content.Info, error) {
	return content.Info{}, errReadOnly
}

func (rootBlobs) Delete(context.Context, digest.Digest) error { return errReadOnly }

func (rootBlobs) Writer(context.Context, ...content.WriterOpt) (content.Writer, error) {
	return nil, errReadOnly
}

func (rootBlobs) Abort(context.Context, string) error { return errReadOnly }
