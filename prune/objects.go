package prune

import (
	"cmp"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
)

// SnapshotID names a snapshot within a store.
type SnapshotID struct {
	Namespace string
	SnapshotKey
}

func (id SnapshotID) node() node {
	return node{kind: kindSnapshot, ns: id.Namespace, key: id.SnapshotKey.String()}
}

// snapshot is the ID of a node that is a snapshot.
func (n node) snapshot() SnapshotID { return SnapshotID{n.ns, parseSnapshotKey(n.key)} }

func compareSnapshotIDs(a, b SnapshotID) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), compareSnapshotKeys(a.SnapshotKey, b.SnapshotKey))
}

// objects are blobs and snapshots with their bytes. A blob is one object
// however many namespaces know it, for its file is one.
type objects struct {
	blobs     map[digest.Digest]int64
	snapshots map[SnapshotID]int64
}

func newObjects() objects {
	return objects{blobs: make(map[digest.Digest]int64), snapshots: make(map[SnapshotID]int64)}
}

func (o objects) amount() Amount {
	var a Amount
	for _, bytes := range o.blobs {
		a.addBlob(bytes)
	}
	for _, bytes := range o.snapshots {
		a.addSnapshot(bytes)
	}
	return a
}

// objects lists everything that the inventory holds on the disk.
func (inv *Inventory) objects() objects {
	o := newObjects()
	for _, ns := range inv.Namespaces {
		for dgst, blob := range ns.Blobs {
			if _, lost := inv.lost[dgst]; !lost {
				o.blobs[dgst] = blob.Size
			}
		}
		for key := range ns.Snapshots {
			id := SnapshotID{ns.Name, key}
			o.snapshots[id] = inv.size(id)
		}
	}
	return o
}

// emptyLost makes blobs without a file weigh nothing.
func (inv *Inventory) emptyLost() {
	if len(inv.lost) == 0 {
		return
	}
	for _, ns := range inv.Namespaces {
		for dgst, blob := range ns.Blobs {
			if _, lost := inv.lost[dgst]; lost {
				blob.Size = 0
				ns.Blobs[dgst] = blob
			}
		}
	}
}

// filter returns the objects for which the tests hold.
func (o objects) filter(blob func(digest.Digest) bool, snapshot func(SnapshotID) bool) objects {
	chosen := newObjects()
	for dgst, bytes := range o.blobs {
		if blob(dgst) {
			chosen.blobs[dgst] = bytes
		}
	}
	for id, bytes := range o.snapshots {
		if snapshot(id) {
			chosen.snapshots[id] = bytes
		}
	}
	return chosen
}

// without returns the objects that are not in other.
func (o objects) without(other objects) objects {
	return o.filter(
		func(d digest.Digest) bool { _, ok := other.blobs[d]; return !ok },
		func(id SnapshotID) bool { _, ok := other.snapshots[id]; return !ok },
	)
}

// within returns the objects that are also in other.
func (o objects) within(other objects) objects {
	return o.filter(
		func(d digest.Digest) bool { _, ok := other.blobs[d]; return ok },
		func(id SnapshotID) bool { _, ok := other.snapshots[id]; return ok },
	)
}

func (o objects) sortedBlobs() []digest.Digest { return slices.Sorted(maps.Keys(o.blobs)) }

func (o objects) sortedSnapshots() []SnapshotID {
	return slices.SortedFunc(maps.Keys(o.snapshots), compareSnapshotIDs)
}
