package races

import (
	"context"
	"slices"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/imagestore"
)

// notFetched is what a pull does where a snapshot of a layer is there already:
// containerd then spares itself the layer. The container that the snapshot was
// left for has an image again.
const notFetched = "layers that a pull spared itself"

// onlyLayers says whether all the blobs are layers of the image.
func onlyLayers(img *imagestore.Image, blobs []digest.Digest) bool {
	return !slices.ContainsFunc(blobs, func(d digest.Digest) bool {
		return !slices.ContainsFunc(img.Layers, func(l imagestore.Layer) bool { return l.Desc.Digest == d })
	})
}

// watch looks at every record: while it is there so is all of its image. A
// record that is gone, or another one by the time, proves nothing.
func (r *race) watch(ctx context.Context) error {
	for _, ns := range namespaces {
		s := r.store(ns)
		list, err := s.Client.ImageService().List(s.Context(ctx))
		if err != nil {
			return err
		}
		for _, rec := range list {
			img := r.byTarget[rec.Target.Digest]
			if img == nil || strings.Contains(rec.Name, "/alias-") {
				continue // of the pods' base; names that may come too late
			}
			lost, err := missing(ctx, s, img.Digests()...)
			if err != nil {
				return err
			}
			if len(lost) == 0 {
				continue
			}
			now, err := s.Client.ImageService().Get(s.Context(ctx), rec.Name)
			if err != nil && !errdefs.IsNotFound(err) {
				return err
			}
			if err != nil || !now.CreatedAt.Equal(rec.CreatedAt) || now.Target.Digest != rec.Target.Digest {
				continue
			}
			unpacked, err := missingSnapshots(ctx, s, img)
			if err != nil {
				return err
			}
			if len(unpacked) == 0 && onlyLayers(img, lost) {
				r.tally.note("watch", notFetched)
				continue
			}
			r.tally.lost("image %s in namespace %s lost %v and snapshots %v", rec.Name, ns, lost, unpacked)
		}
	}
	return nil
}
