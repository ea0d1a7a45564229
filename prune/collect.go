package prune

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/containerd/errdefs"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// ownNamespace and the name of a run make the name of a namespace that exists
// only while the run asks for a collection.
const ownNamespace = "ctr-prune-"

// collect asks containerd for a garbage collection, and returns when it is done.
// What fill makes under its context is there for the collection to remove; fill
// may be nil.
func (inv *Inventory) collect(ctx context.Context, store Store, opts ExecuteOptions, fill func(context.Context, ours.Run) error) error {
	newMeter(opts.Progress, StageCollect).add(0)
	now := opts.Now()
	owner, end := opts.Procfs.Begin()
	defer end()
	run := ours.Run{Name: runName(now), Owner: owner, Start: now}
	name, found := inv.quietNamespace()
	if !found {
		name = ownNamespace + run.Name
	}
	locker := ours.Locker{Manager: store.Leases(), Procfs: opts.Procfs}
	err := locker.Collect(inNamespace(ctx, name), run, now, func(ctx context.Context) error {
		if fill == nil {
			return nil
		}
		return fill(ctx, run)
	})
	if !found {
		err = errors.Join(err, deleteOwnNamespace(ctx, store, name))
	}
	if err != nil {
		return fmt.Errorf("asking for a collection in namespace %q: %w", name, err)
	}
	return nil
}

// collectIn asks for a collection in a namespace that is known.
func collectIn(ctx context.Context, store Store, ns string, now time.Time) error {
	procfs := ours.Procfs{}
	owner, end := procfs.Begin()
	defer end()
	run := ours.Run{Name: runName(now), Owner: owner, Start: now}
	if err := (ours.Locker{Manager: store.Leases(), Procfs: procfs}).Collect(inNamespace(ctx, ns), run, now, nil); err != nil {
		return fmt.Errorf("asking for a collection in namespace %q: %w", ns, err)
	}
	return nil
}

// deleteOwnNamespace deletes a namespace that was made for one collection. Its
// name is never used again, so that nothing in it is anybody else's.
func deleteOwnNamespace(ctx context.Context, store Store, name string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unlockTime)
	defer cancel()
	err := store.DeleteNamespace(ctx, name)
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("deleting the namespace that was made for it: %w", err)
	}
	return nil
}

// quietNamespace names a namespace in which a collection can be asked for. It is
// one of all namespaces, so that any would do, and what is made for it, a lease,
// at times a blob and a snapshot, should be in nobody's way: never in Docker's
// namespace or in one of build history, whose owners take all that is there for
// theirs; in that of Kubernetes or buildkit only if there is no other, as runs
// of ours lock these, too; best in one that nobody watches, as "default". There
// may be none.
func (inv *Inventory) quietNamespace() (name string, found bool) {
	for _, ns := range inv.Namespaces {
		if ns.Docker() || strings.HasSuffix(ns.Name, historySuffix) {
			continue
		}
		if !inv.watched(ns) {
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
func (inv *Inventory) watched(ns *Namespace) bool {
	return ns.Name == criNamespace || inv.Namespace(ns.Name+historySuffix) != nil
}
