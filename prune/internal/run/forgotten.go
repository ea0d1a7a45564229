package run

import (
	"context"
	"errors"
	"io/fs"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// fileNow is what a blob's file is that was on the disk while an inventory did
// not know the blob. Neither known nor gone, containerd has forgotten it.
type fileNow struct {
	// Known: somebody was committing the blob, for which its file comes first.
	Known bool
	// Gone: a collection has taken it meanwhile.
	Gone bool
	// Size is in bytes, 0 where the files cannot be looked at.
	Size int64
}

// FileLooker looks again at such files, in all namespaces of the inventory.
type FileLooker struct {
	Store store.Store
	Inv   *inventory.Inventory
	// files are those that are there by now, of a store that cannot be asked
	// for one; nil before they are needed.
	files map[digest.Digest]struct{}
}

func (l *FileLooker) Look(ctx context.Context, dgst digest.Digest) (fileNow, error) {
	for _, ns := range l.Inv.Namespaces {
		_, err := l.Store.Content().Info(store.InNamespace(ctx, ns.Name), dgst)
		if !errdefs.IsNotFound(err) {
			return fileNow{Known: err == nil}, err
		}
	}
	if sizer := l.Store.Abilities().Files; sizer != nil {
		size, err := sizer.BlobFileSize(ctx, dgst)
		if errors.Is(err, fs.ErrNotExist) {
			return fileNow{Gone: true}, nil
		}
		return fileNow{Size: size}, err
	}
	if l.files == nil {
		var err error
		if l.files, err = l.Store.BlobFiles(ctx); err != nil {
			return fileNow{}, err
		}
	}
	_, there := l.files[dgst]
	return fileNow{Gone: !there}, nil
}
