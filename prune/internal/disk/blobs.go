package disk

import (
	"context"
	"errors"
	"io/fs"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// BlobFile is what a blob's file is that was on the disk while an inventory did
// not know the blob. Neither known nor gone, containerd has forgotten it.
type BlobFile struct {
	// Known: somebody was committing the blob, which creates its file first.
	Known bool
	// Gone: a collection has taken it meanwhile.
	Gone bool
	// Size is in bytes, 0 where the files cannot be looked at.
	Size int64
}

// BlobLooker looks again at such files, in all namespaces of the inventory.
type BlobLooker struct {
	Store store.Store
	Inv   *inventory.Inventory
	// files are those that are there by now, of a store that cannot be asked
	// for one; nil before they are needed.
	files map[digest.Digest]struct{}
}

// Look says what the file of a blob is by now.
func (l *BlobLooker) Look(ctx context.Context, dgst digest.Digest) (BlobFile, error) {
	for _, ns := range l.Inv.Namespaces {
		_, err := l.Store.Content().Info(store.InNamespace(ctx, ns.Name), dgst)
		if !errdefs.IsNotFound(err) {
			return BlobFile{Known: err == nil}, err
		}
	}
	if sizer := l.Store.Abilities().Files; sizer != nil {
		size, err := sizer.BlobFileSize(ctx, dgst)
		if errors.Is(err, fs.ErrNotExist) {
			return BlobFile{Gone: true}, nil
		}
		return BlobFile{Size: size}, err
	}
	if l.files == nil {
		var err error
		if l.files, err = l.Store.BlobFiles(ctx); err != nil {
			return BlobFile{}, err
		}
	}
	_, there := l.files[dgst]
	return BlobFile{Gone: !there}, nil
}
