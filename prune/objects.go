package prune

import (
	"cmp"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"
)

// snapshotID names a snapshot within a store.
type snapshotID struct {
	ns string
	SnapshotKey
}

func (id snapshotID) node() node {
	return node{kind: kindSnapshot, ns: id.ns, key: id.SnapshotKey.String()}
}

func compareSnapshotIDs(a, b snapshotID) int {
	return cmp.Or(cmp.Compare(a.ns, b.ns), compareSnapshotKeys(a.SnapshotKey, b.SnapshotKey))
}

// objects are blobs and snapshots with their bytes. A blob is one object
// however many namespaces know it, for its file is one.
type objects struct {
	blobs     map[digest.Digest]int64
	snapshots map[snapshotID]int64
}

func newObjects() objects {
	return objects{blobs: make(map[digest.Digest]int64), snapshots: make(map[snapshotID]int64)}
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
		for key, snapshot := range ns.Snapshots {
			o.snapshots[snapshotID{ns.Name, key}] = snapshot.Bytes
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
func (o objects) filter(blob func(digest.Digest) bool, snapshot func(snapshotID) bool) objects {
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
		func(id snapshotID) bool { _, ok := other.snapshots[id]; return !ok },
	)
}

// within returns the objects that are also in other.
func (o objects) within(other objects) objects {
	return o.filter(
		func(d digest.Digest) bool { _, ok := other.blobs[d]; return ok },
		func(id snapshotID) bool { _, ok := other.snapshots[id]; return ok },
	)
}

func (o objects) sortedBlobs() []digest.Digest { return slices.Sorted(maps.Keys(o.blobs)) }

func (o objects) sortedSnapshots() []snapshotID {
	return slices.SortedFunc(maps.Keys(o.snapshots), compareSnapshotIDs)
}
