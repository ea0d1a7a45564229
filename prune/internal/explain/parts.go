package explain

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/df"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
)

// Part is something that an explained object refers to, with what that refers
// to in turn.
type Part struct {
	Kind df.ObjectKind `json:"kind"`
	// Name is a digest, a snapshot as "snapshotter/key", or the name of
	// whatever else containerd follows a label to.
	Name string `json:"name"`
	// Layer counts the layers of an image from its base, which is 1.
	Layer int   `json:"layer,omitempty"`
	Bytes int64 `json:"bytes"`
	// AtLeast says that Bytes is a lower bound: the snapshot could not be measured.
	AtLeast bool `json:"atLeast,omitempty"`
	// Shared says that more than one image holds it, or an image and
	// something else.
	Shared bool `json:"shared"`
	// Missing says that it is referred to and not in the store.
	Missing bool `json:"missing,omitempty"`
	// Again says that it was listed before, with its own parts.
	Again bool   `json:"again,omitempty"`
	Parts []Part `json:"parts,omitempty"`
	// MoreParts counts those that are not listed.
	MoreParts int `json:"moreParts,omitempty"`
}

const (
	// maxParts bounds how many parts of one object are listed, and
	// maxPartsDepth how deep: stores may be made to mislead.
	maxParts      = 200
	maxPartsDepth = 16
)

// dissection takes an object apart.
type dissection struct {
	*df.Accounting
	kinds map[digest.Digest]df.KindOfBlob
	seen  map[graph.Node]bool
}

func dissect(c *gc.Collector) *dissection {
	u := &df.Accounting{Inv: c.Inv, Collector: c, Index: make(map[plan.ImageKey]graph.Owner)}
	u.Assign()
	return &dissection{Accounting: u, kinds: df.KindsIn(c.Inv), seen: make(map[graph.Node]bool)}
}

// parts lists what a node refers to. The snapshots below one are listed beside
// it, the base first, and not one within the other.
func (d *dissection) parts(n graph.Node, depth int) (parts []Part, more int) {
	var nodes []graph.Node
	for _, id := range d.Collector.Next.Of(d.Collector.Graph.Lookup(n)) {
		to := d.Collector.Graph.Nodes[id]
		if to.Kind == graph.KindSnapshot {
			nodes = append(nodes, d.chainBelow(to)...)
		} else {
			nodes = append(nodes, to)
		}
	}
	if n.Kind == graph.KindSnapshot {
		slices.Reverse(nodes)
	}
	for _, to := range unique(nodes) {
		if len(parts) == maxParts || depth == maxPartsDepth {
			more++
			continue
		}
		parts = append(parts, d.part(to, depth))
	}
	slices.SortStableFunc(parts, compareParts)
	return parts, more
}

// unique drops repeated nodes, flat or not.
func unique(nodes []graph.Node) []graph.Node {
	seen := make(map[graph.Node]bool)
	return slices.DeleteFunc(nodes, func(n graph.Node) bool {
		n.Flat = false
		again := seen[n]
		seen[n] = true
		return again
	})
}

// chainBelow lists a snapshot and those that it stands on, the base first.
func (d *dissection) chainBelow(n graph.Node) []graph.Node {
	var chain []graph.Node
	key := inventory.ParseSnapshotKey(n.Key)
	for key.Key != "" && len(chain) < df.MaxLayers {
		n.Key = key.String()
		chain = append(chain, n)
		key.Key = d.Collector.Spaces[n.Namespace].Snapshots[key].Parent
	}
	slices.Reverse(chain)
	return chain
}

func (d *dissection) part(n graph.Node, depth int) Part {
	p := Part{Name: n.Key}
	s := d.Collector.Spaces[n.Namespace]
	switch n.Kind {
	case graph.KindContent:
		blob, known := s.Blobs[digest.Digest(n.Key)]
		k := d.kinds[digest.Digest(n.Key)]
		p.Kind, p.Layer, p.Bytes, p.Missing = k.Kind, k.Layer, blob.Size, !known
		p.Kind = cmp.Or(p.Kind, df.KindContent)
		p.Shared = d.BlobOwner(digest.Digest(n.Key)) == graph.Several
	case graph.KindSnapshot:
		key := inventory.ParseSnapshotKey(n.Key)
		_, known := s.Snapshots[key]
		bytes := d.Inv.Size(inventory.SnapshotOf(n))
		p.Kind, p.Layer, p.Missing = df.KindSnapshot, df.LayerOf(s.Namespace, key), !known
		p.Bytes, p.AtLeast = inventory.Known(bytes), bytes == inventory.Unmeasured
		p.Shared = d.Owners.Of(n) == graph.Several
		return p
	default:
		p.Kind = df.ObjectKind(graph.KindNames[n.Kind])
	}
	once := n
	once.Flat = false
	if p.Again = d.seen[once]; !p.Again {
		d.seen[once] = true
		p.Parts, p.MoreParts = d.parts(n, depth+1)
	}
	return p
}

// compareParts puts what describes an image before its layers, and these
// before its snapshots, from the base up.
func compareParts(a, b Part) int {
	return cmp.Or(cmp.Compare(partRank(a.Kind), partRank(b.Kind)), cmp.Compare(a.Layer, b.Layer))
}

func partRank(kind df.ObjectKind) int {
	return slices.Index([]df.ObjectKind{df.KindIndex, df.KindManifest, df.KindConfig, df.KindLayer, df.KindContent, df.KindSnapshot}, kind)
}

// snapshotsOf lists the snapshots whose bytes an explanation of n may tell:
// those that it reaches, and those of the images that hold it.
func snapshotsOf(c *gc.Collector, n graph.Node) []inventory.SnapshotID {
	from := []graph.Node{n}
	if n.Kind == graph.KindContent || n.Kind == graph.KindSnapshot {
		for image := range without(c, n, c.Chains(n)).Removed {
			from = append(from, image)
		}
	}
	return c.SnapshotsBelow(from)
}
