package prune

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"
)

// objects lists every blob and snapshot, the largest first.
func (u *diskUsage) objects(d *DiskUsage) []ObjectUsage {
	kept := u.keptByImages()
	kinds := u.inv.kinds()
	layers := layersOf(u.inv)
	var list []ObjectUsage
	for _, dgst := range u.all.sortedBlobs() {
		list = append(list, u.blobUsage(dgst, kinds, kept))
	}
	for _, id := range u.all.sortedSnapshots() {
		list = append(list, u.snapshotUsage(id, layers, kept))
	}
	slices.SortStableFunc(list, func(a, b ObjectUsage) int { return cmp.Compare(b.Bytes, a.Bytes) })
	u.countImages(list)
	images := d.Images
	d.common = func(class func(int) int) []int { return u.common(images, list, class) }
	return list
}

// nodes are those of an object: a blob has one in each namespace that knows it.
func (o ObjectUsage) nodes() []node {
	if o.Digest == "" {
		return []node{{kind: kindSnapshot, ns: o.Namespaces[0], key: o.Snapshot}}
	}
	nodes := make([]node, len(o.Namespaces))
	for i, ns := range o.Namespaces {
		nodes[i] = node{kind: kindContent, ns: ns, key: o.Digest.String()}
	}
	return nodes
}

// countImages counts the images that have each object: those that the edges
// lead to when they are turned around.
func (u *diskUsage) countImages(list []ObjectUsage) {
	isTarget := make(map[nodeID]bool)
	for _, target := range targetsOf(u.plan.chosen) {
		isTarget[u.collector.graph.lookup(target)] = true
	}
	var all []node
	for _, o := range list {
		all = append(all, o.nodes()...)
	}
	up := u.collector.reversed()
	counts := newWalk(u.collector.graph, up.of).totals(func(id nodeID, sum *Amount) {
		if isTarget[id] {
			sum.Blobs++
		}
	}, all)
	for i := range list {
		o := &list[i]
		for _, n := range o.nodes() {
			o.Images += counts[n].Blobs
			o.ImagesAtLeast = o.ImagesAtLeast || counts[n].bound
		}
	}
}

// common is [DiskUsage.Common]: to have images of one class only is to be
// owned by it.
func (u *diskUsage) common(images []ImageUsage, list []ObjectUsage, class func(int) int) []int {
	var classes [][]node
	for i, image := range images {
		at := class(i)
		for len(classes) <= at {
			classes = append(classes, nil)
		}
		classes[at] = append(classes[at], node{kind: kindContent, ns: image.Namespace, key: image.Target.String()})
	}
	owned := u.collector.graph.own(classes, u.collector.next.of)
	found := make([]int, len(list))
	for i, o := range list {
		by := nobody
		for _, n := range o.nodes() {
			by = by.and(owned.of(n))
		}
		found[i] = map[owner]int{nobody: OfNone, several: OfSeveral}[by]
		if by >= 0 {
			found[i] = int(by)
		}
	}
	return found
}

func (u *diskUsage) blobUsage(dgst digest.Digest, kinds map[digest.Digest]kindOfBlob, kept reached) ObjectUsage {
	class, root := u.blobClass(dgst)
	_, freed := u.plan.outcome.freed.blobs[dgst]
	homes := u.collector.homes[dgst]
	o := ObjectUsage{
		Namespaces: namesOf(homes), Digest: dgst, Kind: kinds[dgst].kind, Layer: kinds[dgst].layer,
		Bytes: u.all.blobs[dgst], Class: class,
	}
	stays := slices.ContainsFunc(homes, func(s *space) bool {
		return kept.holds(node{kind: kindContent, ns: s.Name, key: dgst.String()})
	})
	o.State = stateOf(freed, class, stays, u.blobOwner(dgst))
	u.name(&o, root, node{kind: kindContent, ns: homes[0].Name, key: dgst.String()})
	return o
}

func namesOf(spaces []*space) []string {
	names := make([]string, len(spaces))
	for i, s := range spaces {
		names[i] = s.Name
	}
	return names
}

func (u *diskUsage) snapshotUsage(id SnapshotID, layers map[SnapshotID]int, kept reached) ObjectUsage {
	class, root := u.snapshotClass(id)
	_, freed := u.plan.outcome.freed.snapshots[id]
	o := ObjectUsage{
		Namespaces: []string{id.Namespace}, Snapshot: id.SnapshotKey.String(), Kind: KindSnapshot,
		Layer: layers[id], Bytes: u.all.snapshots[id], Class: class,
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
	k := u.collector.keeper(root)
	if o.State == StateHeld && o.Class == HeldByImages {
		if later, ok := u.collector.blobKeeper(n, u.after); ok {
			k = later
		}
	}
	within := ""
	if len(o.Namespaces) == 1 {
		within = o.Namespaces[0]
	}
	o.Keeper = k.in(within)
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
	return u.collector.mark(u.collector.imageRoots(ch), ch)
}
