package pressure

import (
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
)

// walk knows at which place of the order each object is freed.
type walk struct {
	c      *gc.Collector
	places *gc.Places
}

// newWalk walks the items of an order in a plan that removes all of them.
func newWalk(c *gc.Collector, items []item, draft *plan.Plan) walk {
	l := draft.Leaving()
	for _, it := range items {
		l.Steps = append(l.Steps, it.roots)
	}
	return walk{c, c.Places(l)}
}

// object is a blob or a snapshot, with the place at which it is freed.
type object struct {
	at     int32
	bytes  int64
	inodes int64
	blob   digest.Digest // empty for a snapshot
	id     inventory.SnapshotID
}

// nodes are those that keep an object.
func (w walk) nodes(o object) []graph.Node {
	if o.blob == "" {
		return []graph.Node{o.id.Node()}
	}
	return w.c.FileNodes(o.blob)
}

// each visits all objects of the store.
func (w walk) each(inodes inventory.Inodes, visit func(object)) {
	for dgst, bytes := range w.c.AllBlobs() {
		visit(object{at: w.places.OfBlob(dgst), bytes: bytes, inodes: 1, blob: dgst})
	}
	for id, bytes := range w.c.Inv.AllSnapshots() {
		visit(object{at: w.places.Of(id.Node()), bytes: inventory.Known(bytes), inodes: inodes[id], id: id})
	}
}
