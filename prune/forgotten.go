package prune

import (
	"context"
	"errors"
	"io/fs"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
)

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

// fileLooker looks again at such files, in all namespaces of the inventory.
type fileLooker struct {
	store Store
	inv   *Inventory
	// files are those that are there by now, of a store that cannot be asked
	// for one; nil before they are needed.
	files map[digest.Digest]struct{}
}

func (l *fileLooker) look(ctx context.Context, dgst digest.Digest) (fileNow, error) {
	for _, ns := range l.inv.Namespaces {
		_, err := l.store.Content().Info(inNamespace(ctx, ns.Name), dgst)
		if !errdefs.IsNotFound(err) {
			return fileNow{known: err == nil}, err
		}
	}
	if sizer := l.store.Abilities().Files; sizer != nil {
		size, err := sizer.BlobFileSize(ctx, dgst)
		if errors.Is(err, fs.ErrNotExist) {
			return fileNow{gone: true}, nil
		}
		return fileNow{size: size}, err
	}
	if l.files == nil {
		var err error
		if l.files, err = l.store.BlobFiles(ctx); err != nil {
			return fileNow{}, err
		}
	}
	_, there := l.files[dgst]
	return fileNow{gone: !there}, nil
}
