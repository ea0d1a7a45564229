package inventory

import (
	"slices"
	"strings"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Inventory is what a store held when it was read. It is never changed
// afterwards.
type Inventory struct {
	Store store.StoreInfo
	// Namespaces are sorted by name. All are here, pruned or not: what one
	// shares with another is freed only when both let go.
	Namespaces []*Namespace

	// Lost are the blobs that are listed and whose files are not on the disk,
	// as after a power failure: there is nothing that they could give back.
	Lost map[digest.Digest]struct{}
	// Strays are the files of blobs that no namespace had when it was listed; nil if the
	// files cannot be seen.
	Strays []digest.Digest
	// Scope is of what the manifests were read; nil in an inventory that was
	// made by hand, which has what it has.
	Scope *Scope
	// Sizes are those of the snapshots that were measured.
	Sizes Sizes
	// Origins are where layers come from, packed by their digest and unpacked by their
	// chain ID, as far as that was asked for and is known.
	Origins map[digest.Digest]Origin
}

// Origin is the step of a build that made a layer. The time is zero if it is not known.
type Origin struct {
	Command string
	At      time.Time
}

// Scope says of which namespaces the manifests are read: which manifest a
// target is about, and what filters ask of configs. The lists are read of all.
type Scope struct {
	Namespaces    []string
	AllNamespaces bool
	// Labels reads the labels of configs, too.
	Labels bool
}

// Has says whether the manifests of a namespace are read.
func (s *Scope) Has(namespace string) bool {
	return s == nil || s.AllNamespaces || slices.Contains(s.Namespaces, namespace)
}

// HasLabels says whether the labels of configs are read.
func (s *Scope) HasLabels() bool { return s == nil || s.Labels }

// With returns the same inventory with a namespace in the place of the one of
// that name, if there is one.
func (inv *Inventory) With(ns *Namespace) *Inventory {
	changed := *inv
	changed.Namespaces = slices.DeleteFunc(slices.Clone(inv.Namespaces), func(old *Namespace) bool { return old.Name == ns.Name })
	changed.Namespaces = append(changed.Namespaces, ns)
	slices.SortFunc(changed.Namespaces, func(a, b *Namespace) int { return strings.Compare(a.Name, b.Name) })
	return &changed
}

// Sizes are the allocated bytes of each snapshot, without its parents, as its
// snapshotter reports them. A snapshot that was not asked for has no entry, one
// that could not be measured is [Unmeasured].
type Sizes map[SnapshotID]int64

// WithSizes returns the same inventory with the sizes of snapshots.
func (inv *Inventory) WithSizes(sizes Sizes) *Inventory {
	measured := *inv
	measured.Sizes = sizes
	return &measured
}

// Size is what a snapshot takes on the disk: 0 if nobody asked for it, or
// [Unmeasured].
func (inv *Inventory) Size(id SnapshotID) int64 { return inv.Sizes[id] }

// HasSnapshot says whether the store listed a snapshot.
func (inv *Inventory) HasSnapshot(id SnapshotID) bool {
	ns := inv.Namespace(id.Namespace)
	if ns == nil {
		return false
	}
	_, listed := ns.Snapshots[id.SnapshotKey]
	return listed
}

// SnapshotsOf are the snapshots of one snapshotter, in no order.
func (inv *Inventory) SnapshotsOf(snapshotter string) []SnapshotID {
	var ids []SnapshotID
	for _, ns := range inv.Namespaces {
		for key := range ns.Snapshots {
			if key.Snapshotter == snapshotter {
				ids = append(ids, SnapshotID{ns.Name, key})
			}
		}
	}
	return ids
}

// Namespace is one containerd namespace of an [Inventory].
type Namespace struct {
	Name string
	// Images are the records, sorted by name.
	Images []images.Image
	// Blobs are the content that the namespace knows, by digest.
	Blobs map[digest.Digest]Blob
	// Snapshots are those of all snapshotters.
	Snapshots  map[SnapshotKey]Snapshot
	Containers []containers.Container
	Sandboxes  []sandbox.Sandbox
	Leases     []Lease
	Ingests    []content.Status

	// Subjects tells, for a target that refers to another manifest (a
	// signature, an SBOM, an attestation), the digest of that manifest.
	Subjects map[digest.Digest]digest.Digest
	// Unreadable says why a target that is in the store could not be read, as
	// on a failing disk: it may be a signature of something that stays.
	Unreadable map[digest.Digest]string
	// Configs tells the labels of the configs of a target. Only read for a
	// policy with label filters.
	Configs map[digest.Digest]Config
	// Uses are the uses of images by all clients: from container records, and from
	// clients whose uses containerd does not know about.
	Uses []Use
	// Interrupted are the leases that runs of ours left here when they were
	// killed; the next run finishes their work.
	Interrupted []string
	// Went are the records that a killed run removed, by their targets, where
	// all names of an image are judged together.
	Went map[digest.Digest][]*images.Image
	// Notes are what is good to know of how the uses were found out.
	Notes []cause.Cause
	// Silences says why snapshotters did not answer that have snapshots here, by
	// their names: those snapshots are not known.
	Silences map[string]string
	// Unread says why a list of the namespace could not be read, of which nothing was
	// to be removed; empty if all were. Whatever is known of it counts as held.
	Unread string
	// Closed, if it has a code, says why nothing may be removed here: the uses of
	// this namespace's images could not be found out.
	Closed cause.Cause
}

// SnapshotKey names a snapshot within a namespace.
type SnapshotKey struct {
	Snapshotter, Key string
}

func (k SnapshotKey) String() string { return k.Snapshotter + "/" + k.Key }

// Lease is a lease and the resources that it holds directly.
type Lease struct {
	leases.Lease
	Resources []leases.Resource
}

// Config is what is known about the image configs of one target.
type Config struct {
	// Labels has one entry for each platform whose config is present.
	Labels []map[string]string
	// Problem says why the labels cannot be judged; empty if they can.
	Problem string
}

// Namespace returns the namespace of that name, nil if there is none.
func (inv *Inventory) Namespace(name string) *Namespace {
	for _, ns := range inv.Namespaces {
		if ns.Name == name {
			return ns
		}
	}
	return nil
}
