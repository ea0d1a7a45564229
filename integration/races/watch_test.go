package races

import (
	"context"
	"strings"

	"github.com/containerd/errdefs"
)

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
			if err == nil && now.CreatedAt.Equal(rec.CreatedAt) && now.Target.Digest == rec.Target.Digest {
				r.tally.lost("image %s in namespace %s lost %v", rec.Name, ns, lost)
			}
		}
	}
	return nil
}
