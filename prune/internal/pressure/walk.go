package pressure

import (
	"maps"
	"math"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// stays is the place of what nothing that may go frees.
const stays = math.MaxInt32

// walk knows for each node the place of the last item that reaches it, from 1:
// from that place on nothing does. It is 0 for what only reaches itself, and stays
// for what something else reaches.
type walk struct {
	c  *gc.Collector
	at []int32
	// edges are those of the store in which what has not come back yet is gone.
	edges func(graph.NodeID) []graph.NodeID
	gone  gc.Change
	// removed are the records of all items, and those that go in any case; victims
	// are the targets of those that a run removes itself.
	removed map[graph.Node]bool
	victims []graph.Node
	gray    []graph.NodeID
}

// newWalk marks everything once: first what stays when all items are gone, then what
// each brings back, the last of the order first. Decisions are those of a plan that
// removes all of them, ended what goes in any case.
func newWalk(c *gc.Collector, items []item, decisions []rules.Decision, ended map[graph.Node]bool) *walk {
	w := &walk{c: c, gone: gc.Change{
		Removed: make(map[graph.Node]bool), StandIns: make(map[graph.Node]digest.Digest), Ignored: maps.Clone(ended),
	}}
	for _, d := range decisions {
		if !d.Gone() {
			continue
		}
		w.gone.Removed[graph.ImageNode(d.Namespace, d.Name)] = true
		if !d.Collected {
			w.victims = append(w.victims, graph.ContentNode(d.Namespace, d.Target.Digest))
		}
		if d.StandIn != "" {
			w.gone.StandIns[graph.ImageNode(d.Namespace, d.StandIn)] = d.Target.Digest
		}
	}
	w.removed = maps.Clone(w.gone.Removed)
	if w.gone.Ignored == nil {
		w.gone.Ignored = make(map[graph.Node]bool)
	}
	for _, it := range items {
		for _, root := range it.roots {
			w.gone.Ignored[root] = w.gone.Ignored[root] || it.grace != ""
		}
	}
	c.Meet(w.gone)
	w.at = make([]int32, len(c.Graph.Nodes))
	history := w.history(ended)
	w.edges = c.Edges(w.gone)
	w.mark(c.Roots(w.gone), stays)
	for i := len(items) - 1; i >= 0; i-- {
		for _, root := range items[i].roots {
			delete(w.gone.Removed, root)
		}
		w.mark(items[i].roots, int32(i+1))
	}
	w.addHistory(history)
	return w
}

// history takes the leases of build history away, which hold no snapshots: of a
// config that only they hold in the end, the snapshots are freed.
func (w *walk) history(ended map[graph.Node]bool) (taken []graph.Node) {
	for lease := range w.c.History() {
		if !ended[lease] && w.c.Live(w.c.Spaces[lease.Namespace].LeaseByID[lease.Key]) {
			w.gone.Ignored[lease] = true
			taken = append(taken, lease)
		}
	}
	return taken
}

// addHistory marks what build history holds when all items are gone. A config of an
// image that goes, and that nothing else holds, has lost its snapshot labels by then.
func (w *walk) addHistory(history []graph.Node) {
	if len(history) == 0 {
		return
	}
	gone := gc.Change{Removed: w.removed, StandIns: w.gone.StandIns, Unleased: make(map[graph.Node]bool)}
	touched := w.c.Mark(w.victims, gc.Change{})
	for _, id := range touched.Order {
		if n := w.c.Graph.Nodes[id]; w.at[id] < stays && w.c.MayOrphan(n) {
			gone.Unleased[n] = true
		}
	}
	reached := w.c.Mark(history, gone)
	for _, id := range reached.Order {
		w.at[id] = stays
	}
}

// mark marks what roots reach that nothing before them did. What was reached before
// while it was gone itself, as a name that a label refers to, is followed again.
func (w *walk) mark(roots []graph.Node, at int32) {
	for _, root := range roots {
		if id := w.c.Graph.Lookup(root); id != graph.Nowhere {
			w.at[id] = max(w.at[id], at)
			w.gray = append(w.gray, id)
		}
	}
	for len(w.gray) > 0 {
		from := w.gray[len(w.gray)-1]
		w.gray = w.gray[:len(w.gray)-1]
		for _, to := range w.edges(from) {
			if w.at[to] == 0 {
				w.at[to] = at
				w.gray = append(w.gray, to)
			}
		}
	}
}

// of is the place of an object, held flat or not.
func (w *walk) of(n graph.Node) int32 {
	id := w.c.Graph.Lookup(n)
	if id == graph.Nowhere {
		return 0
	}
	at := w.at[id]
	if twin := w.c.Graph.Twin(id); twin != graph.Nowhere {
		at = max(at, w.at[twin])
	}
	return at
}

// blob is the place of the file of a blob, which all namespaces share that know it.
func (w *walk) blob(dgst digest.Digest) (at int32) {
	for _, n := range w.nodes(dgst) {
		at = max(at, w.of(n))
	}
	return at
}

// nodes are those that keep the file of a blob.
func (w *walk) nodes(dgst digest.Digest) (nodes []graph.Node) {
	for _, s := range w.c.Homes(dgst) {
		nodes = append(nodes, graph.ContentNode(s.Name, dgst))
	}
	return append(nodes, w.c.Awaited[dgst]...)
}

// object is a blob or a snapshot, with the place at which it is freed.
type object struct {
	at     int32
	bytes  int64
	inodes int64
	blob   digest.Digest // empty for a snapshot
	id     inventory.SnapshotID
}

// each visits all objects of the store.
func (w *walk) each(inodes inventory.Inodes, visit func(object)) {
	for dgst, bytes := range w.c.AllBlobs() {
		visit(object{at: w.blob(dgst), bytes: bytes, inodes: 1, blob: dgst})
	}
	for id, bytes := range w.c.Inv.AllSnapshots() {
		visit(object{at: w.of(id.Node()), bytes: inventory.Known(bytes), inodes: inodes[id], id: id})
	}
}
