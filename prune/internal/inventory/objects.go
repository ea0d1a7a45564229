package inventory

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
)

// SnapshotID names a snapshot within a store.
type SnapshotID struct {
	Namespace string
	SnapshotKey
}

// Node is the snapshot in the graph.
func (id SnapshotID) Node() graph.Node {
	return graph.Node{Kind: graph.KindSnapshot, Namespace: id.Namespace, Key: id.SnapshotKey.String()}
}

// SnapshotOf is the ID of a node that is a snapshot.
func SnapshotOf(n graph.Node) SnapshotID { return SnapshotID{n.Namespace, ParseSnapshotKey(n.Key)} }

// CompareSnapshotIDs orders snapshots by namespace, snapshotter and key.
func CompareSnapshotIDs(a, b SnapshotID) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), CompareSnapshotKeys(a.SnapshotKey, b.SnapshotKey))
}

// Objects are blobs and snapshots with their bytes. A blob is one object
// however many namespaces know it, because its file is one.
type Objects struct {
	Blobs     map[digest.Digest]int64
	Snapshots map[SnapshotID]int64
}

// NewObjects are none yet.
func NewObjects() Objects {
	return Objects{Blobs: make(map[digest.Digest]int64), Snapshots: make(map[SnapshotID]int64)}
}

// Amount sums up the objects.
func (o Objects) Amount() Amount {
	var a Amount
	for _, bytes := range o.Blobs {
		a.AddBlob(bytes)
	}
	for _, bytes := range o.Snapshots {
		a.AddSnapshot(bytes)
	}
	return a
}

// Objects lists everything that the inventory holds on the disk.
func (inv *Inventory) Objects() Objects {
	return Objects{Blobs: maps.Collect(inv.AllBlobs()), Snapshots: maps.Collect(inv.AllSnapshots())}
}

// AllBlobs yields the blobs that have files, one that several namespaces know more
// than once. A list of a million would take its memory.
func (inv *Inventory) AllBlobs() iter.Seq2[digest.Digest, int64] {
	return func(yield func(digest.Digest, int64) bool) {
		for _, ns := range inv.Namespaces {
			for dgst, blob := range ns.Blobs {
				if _, lost := inv.Lost[dgst]; !lost && !yield(dgst, blob.Size) {
					return
				}
			}
		}
	}
}

// AllSnapshots yields the snapshots with their sizes.
func (inv *Inventory) AllSnapshots() iter.Seq2[SnapshotID, int64] {
	return func(yield func(SnapshotID, int64) bool) {
		for _, ns := range inv.Namespaces {
			for key := range ns.Snapshots {
				if id := (SnapshotID{ns.Name, key}); !yield(id, inv.Size(id)) {
					return
				}
			}
		}
	}
}

// SortedSnapshots are the IDs of all snapshots, in order.
func (inv *Inventory) SortedSnapshots() []SnapshotID {
	n := 0
	for _, ns := range inv.Namespaces {
		n += len(ns.Snapshots)
	}
	ids := make([]SnapshotID, 0, n)
	for id := range inv.AllSnapshots() {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, CompareSnapshotIDs)
	return ids
}

// EmptyLost makes blobs without a file weigh nothing.
func (inv *Inventory) EmptyLost() {
	if len(inv.Lost) == 0 {
		return
	}
	for _, ns := range inv.Namespaces {
		for dgst, blob := range ns.Blobs {
			if _, lost := inv.Lost[dgst]; lost {
				blob.Size = 0
				ns.Blobs[dgst] = blob
			}
		}
	}
}

// filter returns the objects for which the tests hold.
func (o Objects) filter(blob func(digest.Digest) bool, snapshot func(SnapshotID) bool) Objects {
	chosen := NewObjects()
	for dgst, bytes := range o.Blobs {
		if blob(dgst) {
			chosen.Blobs[dgst] = bytes
		}
	}
	for id, bytes := range o.Snapshots {
		if snapshot(id) {
			chosen.Snapshots[id] = bytes
		}
	}
	return chosen
}

// Without returns the objects that are not in other.
func (o Objects) Without(other Objects) Objects {
	return o.filter(
		func(d digest.Digest) bool { _, ok := other.Blobs[d]; return !ok },
		func(id SnapshotID) bool { _, ok := other.Snapshots[id]; return !ok },
	)
}

// Within returns the objects that are also in other.
func (o Objects) Within(other Objects) Objects {
	return o.filter(
		func(d digest.Digest) bool { _, ok := other.Blobs[d]; return ok },
		func(id SnapshotID) bool { _, ok := other.Snapshots[id]; return ok },
	)
}

// SortedBlobs are the digests of the blobs, in order.
func (o Objects) SortedBlobs() []digest.Digest { return slices.Sorted(maps.Keys(o.Blobs)) }

// SortedSnapshots are the IDs of the snapshots, in order.
func (o Objects) SortedSnapshots() []SnapshotID {
	return slices.SortedFunc(maps.Keys(o.Snapshots), CompareSnapshotIDs)
}

// ParseSnapshotKey reads what [SnapshotKey.String] writes.
func ParseSnapshotKey(s string) SnapshotKey {
	snapshotter, key, _ := strings.Cut(s, "/")
	return SnapshotKey{snapshotter, key}
}

// Sized returns the objects with the sizes of snapshots.
func (o Objects) Sized(sizes Sizes) Objects {
	s := Objects{Blobs: o.Blobs, Snapshots: make(map[SnapshotID]int64, len(o.Snapshots))}
	for id := range o.Snapshots {
		s.Snapshots[id] = sizes[id]
	}
	return s
}

// CompareSnapshotKeys orders snapshots of a namespace by snapshotter and key.
func CompareSnapshotKeys(a, b SnapshotKey) int {
	return cmp.Or(cmp.Compare(a.Snapshotter, b.Snapshotter), cmp.Compare(a.Key, b.Key))
}
