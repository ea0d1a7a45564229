package prune

import (
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
)

// classMark is what one class of holders reaches.
type classMark struct {
	class   HolderClass
	reached reached
}

// classOf tells the class of a root.
func (u *diskUsage) classOf(n node) HolderClass {
	switch n.kind {
	case kindImage:
		return HeldByImages
	case kindContainer, kindSandbox:
		return HeldByContainers
	case kindIngest:
		return HeldByIngests
	case kindLease:
		if leases.KindOf(u.collector.spaces[n.ns].leases[n.key].Lease) == leases.KindGrace {
			return HeldByGrace
		}
		return HeldByLeases
	default:
		return HeldByLabels
	}
}

var classOrder = []HolderClass{HeldByImages, HeldByContainers, HeldByGrace, HeldByLeases, HeldByIngests, HeldByLabels}

func (u *diskUsage) classify() {
	roots := make(map[HolderClass][]node)
	for _, root := range u.collector.roots(change{}) {
		class := u.classOf(root)
		roots[class] = append(roots[class], root)
	}
	for _, class := range classOrder {
		u.classes = append(u.classes, classMark{class, u.collector.mark(roots[class], change{})})
	}
}

// blobClass and snapshotClass return the first class that reaches an object,
// with the root it does so from.
func (u *diskUsage) blobClass(dgst digest.Digest) (HolderClass, node) {
	for _, c := range u.classes {
		for _, s := range u.collector.homes[dgst] {
			if root, ok := c.reached.root(node{kind: kindContent, ns: s.Name, key: dgst.String()}); ok {
				return c.class, root
			}
		}
		if upload, ok := u.collector.awaiting(c.reached, dgst); ok {
			return c.class, upload
		}
	}
	return HeldByNothing, node{}
}

func (u *diskUsage) snapshotClass(id SnapshotID) (HolderClass, node) {
	for _, c := range u.classes {
		if root, ok := c.reached.root(id.node()); ok {
			return c.class, root
		}
	}
	return HeldByNothing, node{}
}

func (u *diskUsage) holders() []HolderUsage {
	sums := make(map[HolderClass]*Amount)
	sum := func(class HolderClass) *Amount {
		if sums[class] == nil {
			sums[class] = &Amount{}
		}
		return sums[class]
	}
	for dgst, bytes := range u.all.blobs {
		class, _ := u.blobClass(dgst)
		sum(class).addBlob(bytes)
	}
	for id, bytes := range u.all.snapshots {
		class, _ := u.snapshotClass(id)
		sum(class).addSnapshot(bytes)
	}
	usages := make([]HolderUsage, 0, len(classOrder)+1)
	for _, class := range append(slices.Clone(classOrder), HeldByNothing) {
		usages = append(usages, HolderUsage{Class: class, Amount: *sum(class)})
	}
	return usages
}
