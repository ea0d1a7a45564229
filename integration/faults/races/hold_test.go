package races

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// missing lists the blobs that a namespace does not know.
func missing(ctx context.Context, s imagestore.Store, blobs ...digest.Digest) ([]digest.Digest, error) {
	var lost []digest.Digest
	for _, d := range blobs {
		_, err := s.Client.ContentStore().Info(s.Context(ctx), d)
		if errdefs.IsNotFound(err) {
			lost = append(lost, d)
		} else if err != nil {
			return nil, err
		}
	}
	return lost, nil
}

// missingSnapshots lists those of an image's snapshots that are not there.
func missingSnapshots(ctx context.Context, s imagestore.Store, chain []string) ([]string, error) {
	var lost []string
	for _, key := range chain {
		_, err := s.Client.SnapshotService(s.Snapshotter).Stat(s.Context(ctx), key)
		if errdefs.IsNotFound(err) {
			lost = append(lost, key)
		} else if err != nil {
			return nil, err
		}
	}
	return lost, nil
}

// leases takes an image into a lease of its own. From then on, if it is there
// at all, every blob of it has to stay until the lease goes, with the record or
// without.
func (r *race) leases(ctx context.Context) error {
	s := r.store("default")
	img, name := r.pick("leased")
	if err := r.pull(s.Context(ctx), s.Client, name); err != nil {
		return err
	}
	id := fmt.Sprintf("lease-%d", r.next())
	target := imagestore.ContentResource(img.Target.Digest)
	if err := s.Lease(ctx, imagestore.LeaseSpec{ID: id, Resources: []leases.Resource{target}}); err != nil {
		return err
	}
	gone, err := missing(ctx, s, img.Digests()...)
	if err != nil {
		return err
	}
	if len(gone) == 0 {
		if err := r.rounds.await(ctx); err != nil {
			return err
		}
		s = r.store("default")
		lost, err := missing(ctx, s, img.Digests()...)
		if err != nil {
			return err
		}
		if len(lost) > 0 {
			r.tally.lost("lease %s holds %s, which lost %v", id, img.Target.Digest, lost)
		}
	}
	if err := s.DropLease(ctx, id, r.next()%4 == 0); err != nil {
		return err
	}
	if len(gone) > 0 {
		return errGone
	}
	return nil
}

// imitates does as a build does: a flat lease takes in the snapshots to come and
// all that is made, then come the record and a lease of the history for the
// config. What the leases hold stays.
func (r *race) imitates(ctx context.Context) error {
	s := r.store("build")
	img, name := r.pick("built")
	history := fmt.Sprintf("%d", r.next())
	work := fmt.Sprintf("build-%d", r.next())
	var chain []leases.Resource
	for _, key := range img.ChainIDs() {
		chain = append(chain, s.SnapshotResource(key))
	}
	if err := s.Lease(ctx, imagestore.LeaseSpec{ID: work, Flat: true, Resources: chain}); err != nil {
		return err
	}
	leased := leases.WithLease(ctx, work)
	if err := s.Add(leased, img, name); err != nil {
		return err
	}
	if err := s.HistoryLease(ctx, history, img); err != nil {
		return err
	}
	if err := r.rounds.await(ctx); err != nil {
		return err
	}
	if err := r.imitated(ctx, img, name); err != nil {
		return err
	}
	s = r.store("build")
	if err := s.DropLease(ctx, work, false); err != nil {
		return err
	}
	if err := r.rounds.await(ctx); err != nil {
		return err
	}
	s = r.store("build")
	lost, err := missing(ctx, s, img.Config.Desc.Digest)
	if err != nil {
		return err
	}
	if len(lost) > 0 {
		r.tally.lost("the history of %s lost its config %v", name, lost)
	}
	return s.DropLease(ctx, imagestore.HistoryID(history), false)
}

// imitated looks at what the lease of a build holds.
func (r *race) imitated(ctx context.Context, img *imagestore.Image, name string) error {
	s := r.store("build")
	lost, err := missing(ctx, s, img.Digests()...)
	if err != nil {
		return err
	}
	unpacked, err := missingSnapshots(ctx, s, img.ChainIDs())
	if len(lost)+len(unpacked) > 0 {
		r.tally.lost("the build of %s lost %v and snapshots %v", name, lost, unpacked)
	}
	return err
}
