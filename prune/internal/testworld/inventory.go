package testworld

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Noon is when the plans of the tables are made. What they find was made a
// month before, if the table does not say otherwise.
var (
	Noon     = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	MonthAgo = Noon.AddDate(0, -1, 0)
)

// Created sets when a record or a blob was made, or an upload was begun.
func Created(at time.Time) Attr { return func(t *Thing) { t.Created = at } }

// Updated sets when a record was changed, or an upload was written to.
func Updated(at time.Time) Attr { return func(t *Thing) { t.Updated = at } }

// Annotated adds an annotation to the target of a record.
func Annotated(key, value string) Attr {
	return func(t *Thing) { t.Annotations = map[string]string{key: value} }
}

// About makes a blob a manifest whose subject is another.
func About(text string) Attr { return func(t *Thing) { t.Subject = Digest(text) } }

// Inventory is what read.Read finds of such a store. Nothing is built for it, so
// that tables of plans cost next to nothing.
func (w World) Inventory() *inventory.Inventory {
	inv := &inventory.Inventory{Store: store.StoreInfo{Kind: store.StoreDaemon, Location: "/c.sock", ID: "world", Version: "2.4.2", Snapshotters: []string{"memory", "other"}}}
	for _, name := range slices.Sorted(maps.Keys(w)) {
		ns := &inventory.Namespace{
			Name: name, Blobs: map[digest.Digest]inventory.Blob{}, Snapshots: map[inventory.SnapshotKey]inventory.Snapshot{},
			Subjects: map[digest.Digest]digest.Digest{}, Configs: map[digest.Digest]inventory.Config{},
		}
		for _, t := range w[name] {
			t.list(ns)
		}
		slices.SortFunc(ns.Images, func(a, b images.Image) int { return strings.Compare(a.Name, b.Name) })
		inv.Namespaces = append(inv.Namespaces, ns)
	}
	Must(0, clients.Asking{Info: inv.Store, Now: Noon}.Learn(context.Background(), inv))
	sizes := inventory.Sizes{}
	for id := range inv.Objects().Snapshots {
		sizes[id] = memoryUsage(id.Key)
	}
	return inv.WithSizes(sizes)
}

// list adds the thing to what was read of its namespace.
func (t Thing) list(ns *inventory.Namespace) {
	at := func(at time.Time) time.Time {
		if at.IsZero() {
			return MonthAgo
		}
		return at
	}
	switch t.What {
	case graph.KindContent:
		ns.Blobs[Digest(t.Name)] = inventory.Blob{Size: int64(len(Body(t.Name))), CreatedAt: at(t.Created), Labels: inventory.LabelsOf(t.Labels)}
		if t.Subject != "" {
			ns.Subjects[Digest(t.Name)] = t.Subject
		}
	case graph.KindSnapshot:
		ns.Snapshots[inventory.SnapshotKey{Snapshotter: t.Snapshotter, Key: t.Name}] = inventory.Snapshot{Kind: t.snapshotKind(), Parent: t.Of, Labels: inventory.LabelsOf(t.Labels)}
	case graph.KindImage:
		target := Descriptor(t.Of)
		target.Annotations = t.Annotations
		ns.Images = append(ns.Images, images.Image{Name: t.Name, Target: target, Labels: t.Labels, CreatedAt: at(t.Created), UpdatedAt: at(t.Updated)})
	case graph.KindContainer:
		ns.Containers = append(ns.Containers, t.container())
	case graph.KindSandbox:
		ns.Sandboxes = append(ns.Sandboxes, sandbox.Sandbox{ID: t.Name, Labels: t.Labels})
	case graph.KindLease:
		ns.Leases = append(ns.Leases, inventory.Lease{Lease: leases.Lease{ID: t.Name, Labels: t.Labels}, Resources: t.Holds})
	case graph.KindIngest:
		ns.Ingests = append(ns.Ingests, content.Status{Ref: t.Name, Expected: Digest(t.Of), StartedAt: at(t.Created), UpdatedAt: at(t.Updated)})
	}
}
