package store

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// ReadBlob reads size bytes of a blob. The size must come from the content
// store's Info, not from a manifest, and be checked by the caller.
func ReadBlob(ctx context.Context, store content.Provider, dgst digest.Digest, size int64) ([]byte, error) {
	if size < 0 {
		return nil, fmt.Errorf("its size is said to be %d: %w", size, errdefs.ErrDataLoss)
	}
	at, err := store.ReaderAt(ctx, ocispec.Descriptor{Digest: dgst, Size: size})
	if err != nil {
		return nil, err
	}
	b := make([]byte, size)
	n, err := at.ReadAt(b, 0)
	if n == len(b) {
		err = nil // io.ReaderAt may report io.EOF along with a full read
	} else if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return b[:n], errors.Join(err, at.Close())
}
