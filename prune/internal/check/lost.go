package check

import (
	"context"
	"errors"
	"io/fs"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// lost finds the blobs that containerd lists and whose files are not there, as
// after a power failure. A pull passes over what containerd lists, so it does
// not bring them back by itself. The files were listed before the store was
// read: what came or went meanwhile is looked at again.
func (k *Checker) lost(ctx context.Context, st store.Store, files map[digest.Digest]struct{}) error {
	sizer := st.Abilities().Files
	if sizer == nil || files == nil {
		return nil
	}
	var errs []error
	for _, ns := range k.Inv.Namespaces {
		for dgst := range ns.Blobs {
			if _, there := files[dgst]; there {
				continue
			}
			if _, err := sizer.BlobFileSize(ctx, dgst); !errors.Is(err, fs.ErrNotExist) {
				errs = append(errs, err)
				continue
			}
			info, err := st.Content().Info(store.InNamespace(ctx, ns.Name), dgst)
			if err != nil {
				if !errdefs.IsNotFound(err) {
					errs = append(errs, err)
				}
				continue
			}
			k.add(Finding{
				Problem: ProblemLost, Namespace: ns.Name, Object: dgst.String(), Bytes: max(0, info.Size),
				Fix: pullAgain(ns.Name, dgst),
			})
		}
	}
	return errors.Join(errs...)
}
