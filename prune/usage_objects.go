package prune

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"
)

// remember keeps a member of an image for [DiskUsage.Objects].
func (u *diskUsage) remember(key imageKey, n node) {
	if u.detailed {
		u.members[key] = append(u.members[key], n)
	}
}

// objects lists every blob and snapshot, the largest first, and tells the
// images which of them are theirs.
func (u *diskUsage) objects(images []ImageUsage) []ObjectUsage {
	kept := u.keptByImages()
	kinds := u.inv.kinds()
	var list []ObjectUsage
	var blobs []digest.Digest
	var snapshots []snapshotID
	for _, dgst := range u.all.sortedBlobs() {
		blobs = append(blobs, dgst)
		list = append(list, u.blobUsage(dgst, kinds, kept))
	}
	for _, id := range u.all.sortedSnapshots() {
		snapshots = append(snapshots, id)
		list = append(list, u.snapshotUsage(id, kept))
	}
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(list[b].Bytes, list[a].Bytes) })
	sorted, blobAt, snapshotAt := make([]ObjectUsage, len(list)), make(map[digest.Digest]int), make(map[snapshotID]int)
	for place, i := range order {
		sorted[place] = list[i]
		if i < len(blobs) {
			blobAt[blobs[i]] = place
		} else {
			snapshotAt[snapshots[i-len(blobs)]] = place
		}
	}
	u.link(images, sorted, blobAt, snapshotAt)
	return sorted
}

// link fills in which image has which objects.
func (u *diskUsage) link(images []ImageUsage, list []ObjectUsage, blobAt map[digest.Digest]int, snapshotAt map[snapshotID]int) {
	for i := range images {
		image := &images[i]
		for _, n := range u.members[imageKey{image.Namespace, image.Target}] {
			var place int
			if n.kind == kindContent {
				place = blobAt[digest.Digest(n.key)]
			} else {
				place = snapshotAt[snapshotID{n.ns, parseSnapshotKey(n.key)}]
			}
			image.Objects = append(image.Objects, place)
		}
		slices.Sort(image.Objects)
		image.Objects = slices.Compact(image.Objects)
		for _, place := range image.Objects {
			list[place].Images++
		}
	}
}

func (u *diskUsage) blobUsage(dgst digest.Digest, kinds map[digest.Digest]kindOfBlob, kept reached) ObjectUsage {
	class, root := u.blobClass(dgst)
	_, freed := u.plan.outcome.freed.blobs[dgst]
	o := ObjectUsage{
		Namespaces: u.copies[dgst], Digest: dgst, Kind: kinds[dgst].kind, Layer: kinds[dgst].layer,
		Bytes: u.all.blobs[dgst], Class: class,
	}
	stays := slices.ContainsFunc(u.copies[dgst], func(ns string) bool {
		return kept.holds(node{kind: kindContent, ns: ns, key: dgst.String()})
	})
	o.State = stateOf(freed, class, stays, u.blobOwner(dgst))
	u.name(&o, root, node{kind: kindContent, ns: u.copies[dgst][0], key: dgst.String()})
	return o
}

func (u *diskUsage) snapshotUsage(id snapshotID, kept reached) ObjectUsage {
	class, root := u.snapshotClass(id)
	_, freed := u.plan.outcome.freed.snapshots[id]
	o := ObjectUsage{
		Namespaces: []string{id.ns}, Snapshot: id.SnapshotKey.String(), Kind: KindSnapshot,
		Layer: u.inv.Namespace(id.ns).layer(id.SnapshotKey), Bytes: u.all.snapshots[id], Class: class,
	}
	o.State = stateOf(freed, class, kept.holds(id.node()), u.owners.of(id.node()))
	u.name(&o, root, id.node())
	return o
}

// name fills in the holder: as of now, or the one that keeps the object when
// its images go.
func (u *diskUsage) name(o *ObjectUsage, root, n node) {
	if o.Class == HeldByNothing {
		return
	}
	o.Holder = u.collector.describe(root)
	if o.State == StateHeld && o.Class == HeldByImages {
		if holder, ok := u.collector.blobHolder(n, u.after); ok {
			o.Holder = holder
		}
	}
}

// stateOf tells the state of an object; kept says that an image that stays
// holds it.
func stateOf(freed bool, class HolderClass, kept bool, by owner) ObjectState {
	switch {
	case freed:
		return StateReclaimable
	case class == HeldByNothing:
		return StateGarbage
	case class != HeldByImages || !kept:
		return StateHeld
	case by > 0: // owner 0 is all that is no image
		return StateUnique
	default:
		return StateShared
	}
}

// keptByImages marks what the records that stay reach.
func (u *diskUsage) keptByImages() reached {
	ch := change{removed: make(map[node]bool), standIns: make(map[node]digest.Digest)}
	for _, d := range u.plan.decisions {
		if d.gone() {
			ch.removed[node{kind: kindImage, ns: d.Namespace, key: d.Name}] = true
		}
		if d.Action == StandIn {
			ch.standIns[node{kind: kindImage, ns: d.Namespace, key: d.StandIn}] = d.Target.Digest
		}
	}
	roots := sortedNodes(ch.standIns)
	for _, s := range u.collector.order {
		roots = append(roots, u.collector.imageRoots(s, ch)...)
	}
	return u.collector.mark(roots, ch)
}
