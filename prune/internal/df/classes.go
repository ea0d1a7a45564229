package df

import (
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// classMark is what one class of holders reaches.
type classMark struct {
	class   HolderClass
	reached graph.Reached
}

// classOf tells the class of a root.
func (u *Accounting) classOf(n graph.Node) HolderClass {
	switch n.Kind {
	case graph.KindImage:
		return HeldByImages
	case graph.KindContainer, graph.KindSandbox:
		return HeldByContainers
	case graph.KindIngest:
		return HeldByIngests
	case graph.KindLease:
		if leases.KindOf(u.Collector.Spaces[n.Namespace].LeaseByID[n.Key].Lease) == leases.KindGrace {
			return HeldByGrace
		}
		return HeldByLeases
	default:
		if u.Collector.Spaces[n.Namespace].Unread != "" {
			return HeldByUnread
		}
		return HeldByLabels
	}
}

var classOrder = []HolderClass{HeldByImages, HeldByContainers, HeldByGrace, HeldByLeases, HeldByIngests, HeldByLabels, HeldByUnread}

func (u *Accounting) classify() {
	roots := make(map[HolderClass][]graph.Node)
	for _, root := range u.Collector.Roots(gc.Change{}) {
		class := u.classOf(root)
		roots[class] = append(roots[class], root)
	}
	for _, class := range classOrder {
		if len(roots[class]) > 0 { // a mark has a place for every node
			u.classes = append(u.classes, classMark{class, u.Collector.Mark(roots[class], gc.Change{})})
		}
	}
}

// blobClass and snapshotClass return the first class that reaches an object,
// with the root it does so from.
func (u *Accounting) blobClass(dgst digest.Digest) (HolderClass, graph.Node) {
	for _, c := range u.classes {
		for _, s := range u.Collector.Homes(dgst) {
			if root, ok := c.reached.Root(graph.Node{Kind: graph.KindContent, Namespace: s.Name, Key: dgst.String()}); ok {
				return c.class, root
			}
		}
		if upload, ok := u.Collector.Awaiting(c.reached, dgst); ok {
			return c.class, upload
		}
	}
	return HeldByNothing, graph.Node{}
}

func (u *Accounting) snapshotClass(id inventory.SnapshotID) (HolderClass, graph.Node) {
	for _, c := range u.classes {
		if root, ok := c.reached.Root(id.Node()); ok {
			return c.class, root
		}
	}
	return HeldByNothing, graph.Node{}
}

// holders sums up what each class holds, and all of them.
func (u *Accounting) holders() (usages []HolderUsage, total inventory.Amount) {
	sums := make(map[HolderClass]*inventory.Amount)
	sum := func(class HolderClass) *inventory.Amount {
		if sums[class] == nil {
			sums[class] = &inventory.Amount{}
		}
		return sums[class]
	}
	for dgst, bytes := range u.Collector.AllBlobs() {
		class, root := u.blobClass(dgst)
		_, freed := u.plan.Outcome.Freed.Blobs[dgst]
		u.types.add(u.typeOf(class, root), bytes, freed)
		sum(class).AddBlob(bytes)
		total.AddBlob(bytes)
	}
	for id, bytes := range u.Inv.AllSnapshots() {
		class, root := u.snapshotClass(id)
		_, freed := u.plan.Outcome.Freed.Snapshots[id]
		u.types.add(u.typeOf(class, root), bytes, freed)
		sum(class).AddSnapshot(bytes)
		total.AddSnapshot(bytes)
	}
	usages = make([]HolderUsage, 0, len(classOrder)+1)
	for _, class := range append(slices.Clone(classOrder), HeldByNothing) {
		if class == HeldByUnread && !u.Collector.Inv.AnyUnread() {
			continue
		}
		usages = append(usages, HolderUsage{Class: class, Amount: *sum(class)})
	}
	return usages, total
}
