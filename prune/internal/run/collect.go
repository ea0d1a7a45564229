package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// OwnNamespace and the name of a run make the name of a namespace that exists
// only while the run asks for a collection.
const OwnNamespace = "ctr-prune-"

// RequestCollection asks containerd for a garbage collection, and returns when it is done.
// What fill makes under its context is there for the collection to remove; fill
// may be nil.
func RequestCollection(ctx context.Context, inv *inventory.Inventory, st store.Store, opts ExecuteOptions, fill func(context.Context, lock.Run) error) error {
	read.NewMeter(opts.Progress, read.StageCollect).Add(0)
	now := opts.Now()
	owner, end := opts.Procfs.Begin()
	defer end()
	run := lock.Run{Name: runName(now), Owner: owner, Start: now}
	name, found := QuietNamespace(inv)
	if !found {
		name = OwnNamespace + run.Name
	}
	locker := lock.Locker{Manager: st.Leases(), Procfs: opts.Procfs, Hangs: opts.hangs(st, inv)}
	err := locker.Collect(store.InNamespace(ctx, name), run, now, func(ctx context.Context) error {
		if fill == nil {
			return nil
		}
		return fill(ctx, run)
	})
	if !found {
		err = errors.Join(err, deleteOwnNamespace(ctx, st, name))
	}
	if err != nil {
		return fmt.Errorf("requesting a garbage collection in namespace %q: %w", name, err)
	}
	return nil
}

// CollectIn asks for a collection in a namespace that is known.
func CollectIn(ctx context.Context, locker lock.Locker, ns string, now time.Time) error {
	owner, end := locker.Procfs.Begin()
	defer end()
	run := lock.Run{Name: runName(now), Owner: owner, Start: now}
	if err := locker.Collect(store.InNamespace(ctx, ns), run, now, nil); err != nil {
		return fmt.Errorf("requesting a garbage collection in namespace %q: %w", ns, err)
	}
	return nil
}

// deleteOwnNamespace deletes a namespace that was made for one collection. Its
// name is never used again, so that nothing in it is anybody else's.
func deleteOwnNamespace(ctx context.Context, store store.Store, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), UnlockTime)
	defer cancel()
	err := store.DeleteNamespace(ctx, name)
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("deleting the namespace that was made for it: %w", err)
	}
	return nil
}

// QuietNamespace names a namespace in which a collection can be asked for. It is
// one of all namespaces, so that any would do, and what is made for it, a lease,
// at times a blob and a snapshot, should disturb nobody: never in Docker's
// namespace or in one of build history, whose owners take everything there for
// their own; in that of Kubernetes or buildkit only if there is no other, as runs
// of ours lock these, too; best in one that nobody watches, as "default". There
// may be none.
func QuietNamespace(inv *inventory.Inventory) (name string, found bool) {
	for _, ns := range inv.Namespaces {
		if ns.Docker() || strings.HasSuffix(ns.Name, inventory.HistorySuffix) {
			continue
		}
		if !isWatched(inv, ns) {
			return ns.Name, true
		}
		if !found {
			name, found = ns.Name, true
		}
	}
	return name, found
}

// watched says whether a client lists what is in the namespace: CRI in its own,
// buildkit in one that has a namespace of build history beside it.
func isWatched(inv *inventory.Inventory, ns *inventory.Namespace) bool {
	return ns.Name == store.CRINamespace || inv.Namespace(ns.Name+inventory.HistorySuffix) != nil
}
