package survey

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/df"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// Contents lists what an image consists of: indexes, manifests and configs first,
// then layers and snapshots, each from the base up.
func (s *Survey) Contents(image int) []df.ObjectUsage {
	list := make([]df.ObjectUsage, 0, len(s.parts.of(image)))
	for _, at := range s.parts.of(image) {
		list = append(list, s.describe(s.Usage.Images[image].Namespace, at))
	}
	s.tellKinds(s.Usage.Images[image].Namespace, list)
	slices.SortFunc(list, func(a, b df.ObjectUsage) int {
		return cmp.Or(
			cmp.Compare(kindOrder[a.Kind], kindOrder[b.Kind]), cmp.Compare(a.Layer, b.Layer),
			cmp.Compare(a.Snapshot, b.Snapshot), cmp.Compare(a.Digest, b.Digest),
		)
	})
	return list
}

var kindOrder = map[df.ObjectKind]int{
	df.KindIndex: 0, df.KindManifest: 1, df.KindConfig: 2, df.KindContent: 3, df.KindLayer: 4, df.KindSnapshot: 5,
}

// describe says of an object how many images have it, and who keeps it when all goes
// that may.
func (s *Survey) describe(namespace string, at int32) df.ObjectUsage {
	o := &s.objects.list[at]
	u := df.ObjectUsage{
		Namespaces: []string{namespace}, Digest: o.blob, Bytes: inventory.Known(o.bytes), AtLeast: o.bytes == inventory.Unmeasured,
		Images: int(s.parts.count[at]), State: df.StateShared,
	}
	n := graph.ContentNode(namespace, o.blob)
	if o.blob == "" {
		n = o.id.Node()
		u.Kind, u.Snapshot = df.KindSnapshot, o.id.SnapshotKey.String()
		u.Layer = df.LayerOf(s.all.Inventory.Namespace(namespace), o.id.SnapshotKey)
	}
	switch {
	case o.goes:
		u.State = df.StateReclaimable
	case u.Images == 1:
		u.State = df.StateUnique
	}
	if root, stays := s.after.Root(n); stays {
		u.Keeper = s.c.Keeper(root).In(namespace)
	}
	return u
}

// tellKinds says of each blob what it is, by the labels of those that refer to it: all
// of these are of the image as well.
func (s *Survey) tellKinds(namespace string, list []df.ObjectUsage) {
	ns := s.all.Inventory.Namespace(namespace)
	few := &inventory.Namespace{Blobs: make(map[digest.Digest]inventory.Blob, len(list))}
	for i := range list {
		if blob, known := ns.Blobs[list[i].Digest]; known {
			few.Blobs[list[i].Digest] = blob
		}
	}
	kinds := df.KindsIn(&inventory.Inventory{Namespaces: []*inventory.Namespace{few}})
	for i := range list {
		if o := &list[i]; o.Digest != "" {
			o.Kind, o.Layer = kinds[o.Digest].Kind, kinds[o.Digest].Layer
		}
	}
}
