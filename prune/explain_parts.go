package prune

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"
)

// Part is something that an explained object refers to, with what that refers
// to in turn.
type Part struct {
	Kind ObjectKind `json:"kind"`
	// Name is a digest, a snapshot as "snapshotter/key", or the name of
	// whatever else containerd follows a label to.
	Name string `json:"name"`
	// Layer counts the layers of an image from its base, which is 1.
	Layer int   `json:"layer,omitempty"`
	Bytes int64 `json:"bytes"`
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
	*diskUsage
	kinds map[digest.Digest]kindOfBlob
	seen  map[node]bool
}

func (c *collector) dissect() *dissection {
	u := &diskUsage{inv: c.inv, collector: c, index: make(map[imageKey]owner)}
	u.assign()
	return &dissection{diskUsage: u, kinds: c.inv.kinds(), seen: make(map[node]bool)}
}

// parts lists what a node refers to. The snapshots below one are listed beside
// it, the base first, and not one within the other.
func (d *dissection) parts(n node, depth int) (parts []Part, more int) {
	var nodes []node
	for _, id := range d.collector.next.of(d.collector.graph.lookup(n)) {
		to := d.collector.graph.nodes[id]
		if to.kind == kindSnapshot {
			nodes = append(nodes, d.chainBelow(to)...)
		} else {
			nodes = append(nodes, to)
		}
	}
	if n.kind == kindSnapshot {
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
func unique(nodes []node) []node {
	seen := make(map[node]bool)
	return slices.DeleteFunc(nodes, func(n node) bool {
		n.flat = false
		again := seen[n]
		seen[n] = true
		return again
	})
}

// chainBelow lists a snapshot and those that it stands on, the base first.
func (d *dissection) chainBelow(n node) []node {
	var chain []node
	key := parseSnapshotKey(n.key)
	for key.Key != "" && len(chain) < maxLayers {
		n.key = key.String()
		chain = append(chain, n)
		key.Key = d.collector.spaces[n.ns].Snapshots[key].Parent
	}
	slices.Reverse(chain)
	return chain
}

func (d *dissection) part(n node, depth int) Part {
	p := Part{Name: n.key}
	s := d.collector.spaces[n.ns]
	switch n.kind {
	case kindContent:
		blob, known := s.Blobs[digest.Digest(n.key)]
		k := d.kinds[digest.Digest(n.key)]
		p.Kind, p.Layer, p.Bytes, p.Missing = k.kind, k.layer, blob.Size, !known
		p.Kind = cmp.Or(p.Kind, KindContent)
		p.Shared = d.blobOwner(digest.Digest(n.key)) == several
	case kindSnapshot:
		key := parseSnapshotKey(n.key)
		_, known := s.Snapshots[key]
		p.Kind, p.Layer, p.Bytes, p.Missing = KindSnapshot, s.layer(key), d.inv.size(n.snapshot()), !known
		p.Shared = d.owners.of(n) == several
		return p
	default:
		p.Kind = ObjectKind(kindNames[n.kind])
	}
	once := n
	once.flat = false
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

func partRank(kind ObjectKind) int {
	return slices.Index([]ObjectKind{KindIndex, KindManifest, KindConfig, KindLayer, KindContent, KindSnapshot}, kind)
}

// snapshotsOf lists the snapshots whose bytes an explanation of n may tell:
// those that it reaches, and those of the images that hold it.
func (c *collector) snapshotsOf(n node) []SnapshotID {
	from := []node{n}
	if n.kind == kindContent || n.kind == kindSnapshot {
		for image := range c.without(n, c.chains(n)).removed {
			from = append(from, image)
		}
	}
	return c.snapshotsBelow(from)
}

// snapshotsBelow lists the snapshots that nodes reach, as far as they exist.
func (c *collector) snapshotsBelow(from []node) []SnapshotID {
	var found []SnapshotID
	for m := range c.mark(from, change{}).all() {
		if id := m.snapshot(); m.kind == kindSnapshot && c.exists(id) {
			found = append(found, id)
		}
	}
	slices.SortFunc(found, compareSnapshotIDs)
	return slices.Compact(found)
}

// snapshotsOfLeases lists the snapshots that leases hold, and those that nothing
// does: what a collection of expired leases may take.
func (c *collector) snapshotsOfLeases() []SnapshotID {
	found := c.snapshotsBelow(c.allLeases())
	held := c.reach(change{})
	for _, s := range c.order {
		for key := range s.Snapshots {
			if id := (SnapshotID{s.Name, key}); !held.holds(id.node()) {
				found = append(found, id)
			}
		}
	}
	slices.SortFunc(found, compareSnapshotIDs)
	return slices.Compact(found)
}
