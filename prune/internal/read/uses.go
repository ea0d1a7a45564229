package read

import (
	"context"
	"fmt"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Uses reads who uses the images of a store, for somebody who looks often: no
// manifests, files, uploads or sizes. Of a namespace whose images all were in an
// inventory that was read before, it takes the content from there, because what a
// target consists of does not change. A namespace that cannot be read does not stop
// the others: see [inventory.Namespace].
func Uses(ctx context.Context, st store.Store, known *inventory.Inventory, now time.Time, opts ReadOptions) (*inventory.Inventory, error) {
	r, inv, err := begin(ctx, st, &inventory.Scope{}, now, opts, nil)
	if err != nil {
		return nil, err
	}
	steps := []func(context.Context, *inventory.Inventory) error{r.records, func(ctx context.Context, inv *inventory.Inventory) error {
		return r.contentOf(ctx, inv, known)
	}, r.containers, r.asking().Learn}
	for _, step := range steps {
		if err := step(ctx, inv); err != nil {
			return nil, err
		}
	}
	return inv, nil
}

// records reads the lists that tell of uses.
func (r *reader) records(ctx context.Context, inv *inventory.Inventory) error {
	return r.tasks(ctx, inv, func(in func(string, listing) task) []task {
		return []task{in("images", r.images), in("leases", r.leases), in("sandboxes", r.sandboxes), in("snapshots", r.snapshots)}
	})
}

// contentOf reads the content of the namespaces that have images which were not
// known.
func (r *reader) contentOf(ctx context.Context, inv, known *inventory.Inventory) error {
	for _, ns := range inv.Namespaces {
		if known != nil && knows(known.Namespace(ns.Name), ns) {
			ns.Blobs = known.Namespace(ns.Name).Blobs
			continue
		}
		if err := r.content(store.InNamespace(ctx, ns.Name), ns); err != nil {
			if err := r.unread(ctx, ns, fmt.Errorf("listing the content of namespace %q: %w", ns.Name, TooLarge(err))); err != nil {
				return err
			}
		}
	}
	return nil
}

// knows says whether a namespace has no image that it did not have before.
func knows(before, ns *inventory.Namespace) bool {
	if before == nil || before.Unread != "" {
		return false
	}
	targets := make(map[string]bool, len(before.Images))
	for i := range before.Images {
		targets[before.Images[i].Target.Digest.String()] = true
	}
	for i := range ns.Images {
		if !targets[ns.Images[i].Target.Digest.String()] {
			return false
		}
	}
	return true
}
