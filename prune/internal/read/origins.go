package read

import (
	"context"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/manifests"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// origins reads where layers come from, if that was asked for. What cannot be read is
// left out: nothing is decided by it.
func (r *reader) origins(ctx context.Context, inv *inventory.Inventory) error {
	if !r.opts.Origins {
		return nil
	}
	inv.Origins = make(map[digest.Digest]inventory.Origin)
	for _, ns := range inv.Namespaces {
		if !inv.Scope.Has(ns.Name) {
			continue
		}
		err := each(store.InNamespace(ctx, ns.Name), manifests.ToldOrigins(ns), func(ctx context.Context, b manifests.Built) error {
			found := b.Origins(ctx, ns, r.store.Content())
			r.mu.Lock()
			defer r.mu.Unlock()
			for layer, origin := range found {
				inv.Origins[layer] = origin
			}
			return ctx.Err()
		})
		if err != nil {
			return err
		}
	}
	return nil
}
