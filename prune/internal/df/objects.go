package df

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// objects lists every blob and snapshot, the largest first.
func (u *Accounting) objects(d *DiskUsage) []ObjectUsage {
	kept := u.keptByImages()
	kinds := KindsIn(u.Inv)
	layers := LayersOf(u.Inv)
	var list []ObjectUsage
	blobs := maps.Collect(u.Collector.AllBlobs())
	for _, dgst := range slices.Sorted(maps.Keys(blobs)) {
		list = append(list, u.blobUsage(dgst, blobs[dgst], kinds, kept))
	}
	for _, id := range u.Inv.SortedSnapshots() {
		list = append(list, u.snapshotUsage(id, layers, kept))
	}
	slices.SortStableFunc(list, func(a, b ObjectUsage) int { return cmp.Compare(b.Bytes, a.Bytes) })
	u.countImages(list)
	images := d.Images
	d.common = func(class func(int) int) []int { return u.common(images, list, class) }
	return list
}

// nodes are those of an object: a blob has one in each namespace that knows it.
func (o ObjectUsage) nodes() []graph.Node {
	if o.Digest == "" {
		return []graph.Node{{Kind: graph.KindSnapshot, Namespace: o.Namespaces[0], Key: o.Snapshot}}
	}
	nodes := make([]graph.Node, len(o.Namespaces))
	for i, ns := range o.Namespaces {
		nodes[i] = graph.Node{Kind: graph.KindContent, Namespace: ns, Key: o.Digest.String()}
	}
	return nodes
}

// countImages counts the images that have each object: those that the edges
// lead to when they are turned around.
func (u *Accounting) countImages(list []ObjectUsage) {
	isTarget := make(map[graph.NodeID]bool)
	for _, target := range TargetsOf(u.plan.Chosen) {
		isTarget[u.Collector.Graph.Lookup(target)] = true
	}
	var all []graph.Node
	for _, o := range list {
		all = append(all, o.nodes()...)
	}
	up := u.Collector.Reversed()
	counts := gc.SumBelow(graph.NewWalk(u.Collector.Graph, up.Of), func(id graph.NodeID, sum *inventory.Amount) {
		if isTarget[id] {
			sum.Blobs++
		}
	}, all)
	for i := range list {
		o := &list[i]
		for _, n := range o.nodes() {
			o.Images += counts[n].Blobs
			o.ImagesAtLeast = o.ImagesAtLeast || counts[n].Bound
		}
	}
}

// common is [DiskUsage.Common]: to have images of one class only is to be
// owned by it.
func (u *Accounting) common(images []ImageUsage, list []ObjectUsage, class func(int) int) []int {
	var classes [][]graph.Node
	for i, image := range images {
		at := class(i)
		for len(classes) <= at {
			classes = append(classes, nil)
		}
		classes[at] = append(classes[at], graph.Node{Kind: graph.KindContent, Namespace: image.Namespace, Key: image.Target.String()})
	}
	owned := u.Collector.Graph.Own(classes, u.Collector.Next.Of)
	found := make([]int, len(list))
	for i, o := range list {
		by := graph.Nobody
		for _, n := range o.nodes() {
			by = by.And(owned.Of(n))
		}
		found[i] = map[graph.Owner]int{graph.Nobody: OfNone, graph.Several: OfSeveral}[by]
		if by >= 0 {
			found[i] = int(by)
		}
	}
	return found
}

func (u *Accounting) blobUsage(dgst digest.Digest, bytes int64, kinds map[digest.Digest]KindOfBlob, kept graph.Reached) ObjectUsage {
	class, root := u.blobClass(dgst)
	_, freed := u.plan.Outcome.Freed.Blobs[dgst]
	homes := u.Collector.Homes(dgst)
	o := ObjectUsage{
		Namespaces: namesOf(homes), Digest: dgst, Kind: kinds[dgst].Kind, Layer: kinds[dgst].Layer,
		Bytes: bytes, Class: class,
	}
	stays := slices.ContainsFunc(homes, func(s *gc.Space) bool {
		return kept.Holds(graph.Node{Kind: graph.KindContent, Namespace: s.Name, Key: dgst.String()})
	})
	o.State = stateOf(freed, class, stays, u.BlobOwner(dgst))
	o.Command, o.BuiltAt = u.origin(dgst)
	u.name(&o, root, graph.Node{Kind: graph.KindContent, Namespace: homes[0].Name, Key: dgst.String()})
	return o
}

// origin is where a layer comes from.
func (u *Accounting) origin(layer digest.Digest) (command string, at time.Time) {
	from := u.Inv.Origins[layer]
	return from.Command, from.At
}

func namesOf(spaces []*gc.Space) []string {
	names := make([]string, len(spaces))
	for i, s := range spaces {
		names[i] = s.Name
	}
	return names
}

func (u *Accounting) snapshotUsage(id inventory.SnapshotID, layers map[inventory.SnapshotID]int, kept graph.Reached) ObjectUsage {
	class, root := u.snapshotClass(id)
	_, freed := u.plan.Outcome.Freed.Snapshots[id]
	bytes := u.Inv.Size(id)
	o := ObjectUsage{
		Namespaces: []string{id.Namespace}, Snapshot: id.SnapshotKey.String(), Kind: KindSnapshot,
		Layer: layers[id], Bytes: inventory.Known(bytes), AtLeast: bytes == inventory.Unmeasured, Class: class,
	}
	o.State = stateOf(freed, class, kept.Holds(id.Node()), u.Owners.Of(id.Node()))
	o.Command, o.BuiltAt = u.origin(digest.Digest(id.Key))
	u.name(&o, root, id.Node())
	return o
}

// name fills in the holder: as of now, or the one that keeps the object when
// its images go.
func (u *Accounting) name(o *ObjectUsage, root, n graph.Node) {
	if o.Class == HeldByNothing {
		return
	}
	k := u.Collector.Keeper(root)
	if o.State == StateHeld && o.Class == HeldByImages {
		if later, ok := u.Collector.BlobKeeper(n, u.after); ok {
			k = later
		}
	}
	within := ""
	if len(o.Namespaces) == 1 {
		within = o.Namespaces[0]
	}
	o.Keeper = k.In(within)
}

// stateOf returns the state of an object; kept says that an image that is kept
// holds it.
func stateOf(freed bool, class HolderClass, kept bool, by graph.Owner) ObjectState {
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

// keptByImages marks what the kept records reach.
func (u *Accounting) keptByImages() graph.Reached {
	ch := gc.Change{Removed: make(map[graph.Node]bool), StandIns: make(map[graph.Node]digest.Digest)}
	for _, d := range u.plan.Decisions {
		if d.Gone() {
			ch.Removed[graph.Node{Kind: graph.KindImage, Namespace: d.Namespace, Key: d.Name}] = true
		}
		if d.Action == rules.StandIn {
			ch.StandIns[graph.Node{Kind: graph.KindImage, Namespace: d.Namespace, Key: d.StandIn}] = d.Target.Digest
		}
	}
	return u.Collector.Mark(u.Collector.ImageRoots(ch), ch)
}
