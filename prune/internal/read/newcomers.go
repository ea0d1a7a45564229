package read

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	clientleases "github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Roll is which containers and leases a namespace had when they were listed, by
// their IDs, with what tells each from a later one of the same ID.
type Roll struct {
	containers, leases map[string]string
}

// CallRoll lists the containers and leases of a namespace.
func CallRoll(ctx context.Context, st store.Store, ns string) (Roll, error) {
	roll, _, _, err := callRoll(store.InNamespace(ctx, ns), st, ns)
	return roll, err
}

// callRoll lists containers last: a client makes its lease first.
func callRoll(ctx context.Context, st store.Store, ns string) (roll Roll, all []containers.Container, held []clientleases.Lease, err error) {
	roll = Roll{make(map[string]string), make(map[string]string)}
	held, err = store.InParts(ctx, store.ByID, st.Leases().List)
	if err != nil {
		return roll, nil, nil, fmt.Errorf("listing the leases of namespace %q: %w", ns, TooLarge(err))
	}
	for _, l := range held {
		roll.leases[l.ID] = l.CreatedAt.String()
	}
	all, err = store.InParts(ctx, store.ByID, st.Containers().List)
	if err != nil {
		return roll, nil, nil, fmt.Errorf("listing the containers of namespace %q: %w", ns, TooLarge(err))
	}
	for _, c := range all {
		roll.containers[c.ID] = fmt.Sprint(c.CreatedAt.UnixNano(), c.UpdatedAt.UnixNano(), c.Image, c.SnapshotKey)
	}
	return roll, all, held, nil
}

// Newcomers is what has appeared in a namespace, and nothing else, with the
// snapshots that it stands on as far as these were not known, and what it uses.
type Newcomers struct {
	*inventory.Namespace
	// Unclear says that it is not known on what some of it stands.
	Unclear bool
}

// Known is a namespace as it was read, and how to read it again.
type Known struct {
	Store     store.Store
	Options   ReadOptions
	Inventory *inventory.Inventory
	Namespace *inventory.Namespace
	// Roll is what is no newcomer.
	Roll *Roll
}

// Newcomers reads what the roll lacks, and the snapshots of the keys, which
// somebody has prepared since. The containers are no newcomers the next time;
// the leases are, because they may come to hold more.
func (k Known) Newcomers(ctx context.Context, prepared []inventory.SnapshotKey, now time.Time) (Newcomers, error) {
	name := k.Namespace.Name
	ctx = store.InNamespace(ctx, name)
	found := Newcomers{Namespace: &inventory.Namespace{Name: name, Snapshots: make(map[inventory.SnapshotKey]inventory.Snapshot)}}
	roll, all, held, err := callRoll(ctx, k.Store, name)
	if err != nil {
		return found, err
	}
	for _, c := range all {
		if k.Roll.containers[c.ID] != roll.containers[c.ID] {
			found.Containers = append(found.Containers, c)
		}
	}
	k.Roll.containers = roll.containers
	for _, l := range held {
		if k.Roll.leases[l.ID] == roll.leases[l.ID] {
			continue
		}
		resources, err := k.Store.Leases().ListResources(ctx, l)
		if errdefs.IsNotFound(err) {
			continue // it has ended since
		}
		if err != nil {
			return found, fmt.Errorf("lease %q of namespace %q: %w", l.ID, name, err)
		}
		found.Leases = append(found.Leases, inventory.Lease{Lease: l, Resources: resources})
	}
	w := ways{Known: k, plugins: newPlugins(k.Store, k.Options, k.Inventory), found: found.Snapshots}
	err = w.follow(ctx, found.Namespace, prepared)
	if ctx.Err() != nil {
		return found, fmt.Errorf("looking at what has appeared in namespace %q: %w", name, ctx.Err())
	}
	found.Unclear = errors.Join(err, clients.AddNewcomers(found.Namespace, k.Inventory.Store.Snapshotters, now)) != nil
	return found, nil
}

// NewSnapshots lists the snapshots that the namespace did not have. It says no where a
// snapshotter does not tell.
func (k Known) NewSnapshots(ctx context.Context) (keys []inventory.SnapshotKey, told bool, err error) {
	ctx = store.InNamespace(ctx, k.Namespace.Name)
	p := newPlugins(k.Store, k.Options, k.Inventory)
	for _, name := range k.Inventory.Store.Snapshotters {
		err := p.walk(ctx, name, func(info snapshots.Info) {
			key := inventory.SnapshotKey{Snapshotter: name, Key: info.Name}
			if _, known := k.Namespace.Snapshots[key]; !known {
				keys = append(keys, key)
			}
		})
		if isSilence(err) {
			return nil, false, nil
		}
		if err != nil {
			return nil, false, fmt.Errorf("listing the snapshots of namespace %q: snapshotter %q: %w", k.Namespace.Name, name, err)
		}
	}
	return keys, true, nil
}

// ways are the snapshots of newcomers and those below them.
type ways struct {
	Known
	plugins *plugins
	found   map[inventory.SnapshotKey]inventory.Snapshot
}

// follow looks up what the newcomers stand on, and what was prepared.
func (w ways) follow(ctx context.Context, ns *inventory.Namespace, prepared []inventory.SnapshotKey) error {
	var errs []error
	for _, c := range ns.Containers {
		errs = append(errs, w.down(ctx, inventory.SnapshotKey{Snapshotter: c.Snapshotter, Key: c.SnapshotKey}))
	}
	for _, l := range ns.Leases {
		for _, r := range l.Resources {
			if snapshotter, ok := strings.CutPrefix(r.Type, "snapshots/"); ok {
				prepared = append(prepared, inventory.SnapshotKey{Snapshotter: snapshotter, Key: r.ID})
			}
		}
	}
	for _, key := range w.named(prepared) {
		switch info, there, err := w.look(ctx, key); {
		case err != nil:
			errs = append(errs, err)
		case there && clients.IsMount(key, inventory.NewSnapshot(info)):
			errs = append(errs, w.down(ctx, key))
		}
	}
	return errors.Join(errs...)
}

// named gives each key a snapshotter: a containerd before 1.7 does not tell which
// it is.
func (w ways) named(keys []inventory.SnapshotKey) (all []inventory.SnapshotKey) {
	for _, key := range keys {
		if key.Snapshotter != "" {
			all = append(all, key)
			continue
		}
		for _, name := range w.Inventory.Store.Snapshotters {
			all = append(all, inventory.SnapshotKey{Snapshotter: name, Key: key.Key})
		}
	}
	return all
}

// down looks up a snapshot and those below it down to a layer that is known. One
// that is not is of an image that may be any.
func (w ways) down(ctx context.Context, key inventory.SnapshotKey) error {
	for key.Key != "" && slices.Contains(w.Inventory.Store.Snapshotters, key.Snapshotter) {
		if _, done := w.found[key]; done || w.layer(key) {
			return nil
		}
		info, there, err := w.look(ctx, key)
		if err != nil || !there {
			return err
		}
		if digest.Digest(key.Key).Validate() == nil && info.Kind == snapshots.KindCommitted {
			return fmt.Errorf("snapshot %s of namespace %q is new", key, w.Namespace.Name)
		}
		w.found[key] = inventory.NewSnapshot(info)
		key.Key = info.Parent
	}
	return nil
}

// layer says whether a snapshot is known that never changes.
func (w ways) layer(key inventory.SnapshotKey) bool {
	s, known := w.Namespace.Snapshots[key]
	return known && s.Kind == snapshots.KindCommitted
}

func (w ways) look(ctx context.Context, key inventory.SnapshotKey) (info snapshots.Info, there bool, err error) {
	if !slices.Contains(w.Inventory.Store.Snapshotters, key.Snapshotter) {
		return info, false, nil
	}
	info, err = w.plugins.stat(ctx, key)
	if errdefs.IsNotFound(err) {
		return info, false, nil
	}
	if err != nil {
		return info, false, fmt.Errorf("looking up snapshot %s: %w", key, err)
	}
	return info, true, nil
}
