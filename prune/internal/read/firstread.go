package read

import (
	"context"
	"maps"
	"slices"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/journal"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// files finds the blobs without a file, and the files without a blob. Blobs were
// listed before: a file that is missing now may have gone since, but none is to
// come. Where the files
// cannot be seen, what containerd says has to do; the end of a run tells why.
func (r *reader) files(ctx context.Context, inv *inventory.Inventory) error {
	if r.before != nil {
		inv.Lost, inv.Strays = r.before.Lost, r.before.Strays
		return nil
	}
	files, err := r.store.BlobFiles(ctx)
	if err != nil {
		return ctx.Err()
	}
	inv.Lost = make(map[digest.Digest]struct{})
	for _, ns := range inv.Namespaces {
		for dgst := range ns.Blobs {
			if _, ok := files[dgst]; !ok {
				inv.Lost[dgst] = struct{}{}
			}
		}
	}
	for _, ns := range inv.Namespaces {
		for dgst := range ns.Blobs {
			delete(files, dgst)
		}
	}
	inv.Strays = slices.Sorted(maps.Keys(files))
	return nil
}

// killed learns which names of images a killed run has removed: what is left of
// an image is to be judged as the whole was. A plan that cannot be read is told
// of by the run that finishes the killed one.
func (r *reader) killed(ctx context.Context, inv *inventory.Inventory) error {
	ns := inv.Namespace(store.CRINamespace)
	if ns == nil {
		return nil
	}
	if before := r.before; before != nil {
		if earlier := before.Namespace(store.CRINamespace); earlier != nil {
			ns.Went = earlier.Went
		}
		return nil
	}
	if !slices.Contains(ns.Interrupted, leases.RunID) {
		return nil
	}
	plan, err := journal.HeldPlan(store.InNamespace(ctx, ns.Name), r.store)
	if err != nil {
		return ctx.Err()
	}
	there := make(map[string]bool, len(ns.Images))
	for _, image := range ns.Images {
		there[image.Name] = true
	}
	ns.Went = make(map[digest.Digest][]*images.Image)
	for _, r := range plan.Records {
		if !there[r.Name] {
			ns.Went[r.Target.Digest] = append(ns.Went[r.Target.Digest], r.Image())
		}
	}
	return nil
}
