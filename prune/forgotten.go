package prune

import (
	"context"
	"errors"
	"io/fs"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
)

// blobSizer is a store that can look at the files of its blobs.
type blobSizer interface {
	blobFileSize(context.Context, digest.Digest) (int64, error)
}

// fileNow is what a blob's file is that was on the disk while an inventory did
// not know the blob. Neither known nor gone, containerd has forgotten it.
type fileNow struct {
	// known: somebody was committing the blob, for which its file comes first.
	known bool
	// gone: a collection has taken it meanwhile.
	gone bool
	// size is in bytes, 0 where the files cannot be looked at.
	size int64
}

// lookAtFile looks again at such a file, in all namespaces of the inventory.
func lookAtFile(ctx context.Context, store Store, inv *Inventory, dgst digest.Digest) (fileNow, error) {
	for _, ns := range inv.Namespaces {
		_, err := store.Content().Info(inNamespace(ctx, ns.Name), dgst)
		if !errdefs.IsNotFound(err) {
			return fileNow{known: err == nil}, err
		}
	}
	sizer, ok := store.(blobSizer)
	if !ok {
		return fileNow{}, nil
	}
	size, err := sizer.blobFileSize(ctx, dgst)
	if errors.Is(err, fs.ErrNotExist) {
		return fileNow{gone: true}, nil
	}
	return fileNow{size: size}, err
}
