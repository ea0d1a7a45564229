package races

import (
	"context"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// notFetched is what a pull does where a snapshot of a layer is there already:
// containerd then spares itself the layer. The container that the snapshot was
// left for has an image again.
const notFetched = "layers that a pull spared itself"

// watch looks at every record of an image that the test made: while it is there
// so is all of its image. A record that is gone, or another one by the time,
// proves nothing.
func (r *race) watch(ctx context.Context) error {
	for _, ns := range r.namespaces {
		s := r.store(ns)
		list, err := s.Client.ImageService().List(s.Context(ctx))
		if err != nil {
			return err
		}
		for _, rec := range list {
			img := r.byTarget[rec.Target.Digest]
			if img == nil || strings.Contains(rec.Name, "/alias-") {
				continue // a builder's, see keeps; names that may come too late
			}
			if err := r.watchRecord(ctx, s, rec, of(img)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *race) watchRecord(ctx context.Context, s imagestore.Store, rec images.Image, a anatomy) error {
	blobs, _, err := a.lacks(ctx, s)
	if err != nil || len(blobs) == 0 {
		return err
	}
	now, err := s.Client.ImageService().Get(s.Context(ctx), rec.Name)
	if errdefs.IsNotFound(err) {
		return nil
	}
	if err != nil || !now.CreatedAt.Equal(rec.CreatedAt) || now.Target.Digest != rec.Target.Digest {
		return err
	}
	unpacked, err := missingSnapshots(ctx, s, a.chain)
	if err != nil {
		return err
	}
	if len(unpacked) == 0 && a.onlyLayers(blobs) {
		r.tally.note("watch", notFetched)
		return nil
	}
	r.tally.lost("image %s in namespace %s lost %v and snapshots %v", rec.Name, s.Namespace, blobs, unpacked)
	return nil
}
