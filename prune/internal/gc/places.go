package gc

import (
	"maps"
	"math"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
)

// Stays is the place of what nothing that leaves frees.
const Stays = math.MaxInt32

// Leaving is what leaves a store, one step after the other.
type Leaving struct {
	// Steps are the records or leases that leave together, in order.
	Steps [][]graph.Node
	// Removed are the records of all steps, and those that go in any case, and
	// StandIns the records that are added.
	Removed  map[graph.Node]bool
	StandIns map[graph.Node]digest.Digest
	// Ended are the leases and uploads that go in any case.
	Ended map[graph.Node]bool
	// Victims are the targets of the records that a run removes itself.
	Victims []graph.Node
}

// Places knows for each node the place of the last step that reaches it, from 1:
// from that place on nothing does. It is 0 for what only reaches itself, and [Stays]
// for what something else reaches.
type Places struct {
	c  *Collector
	at []int32
	// edges are those of the store in which what has not come back yet is gone.
	edges func(graph.NodeID) []graph.NodeID
	gone  Change
	gray  []graph.NodeID
}

// Places marks everything once: first what stays when all steps are done, then what
// each brings back, the last one first.
func (c *Collector) Places(l Leaving) *Places {
	w := &Places{c: c, gone: Change{Removed: maps.Clone(l.Removed), StandIns: l.StandIns, Ignored: maps.Clone(l.Ended)}}
	if w.gone.Ignored == nil {
		w.gone.Ignored = make(map[graph.Node]bool)
	}
	for _, step := range l.Steps {
		for _, root := range step {
			if root.Kind == graph.KindLease {
				w.gone.Ignored[root] = true
			}
		}
	}
	c.Meet(w.gone)
	w.at = make([]int32, len(c.Graph.Nodes))
	history := w.history(l.Ended)
	w.edges = c.Edges(w.gone)
	w.mark(c.Roots(w.gone), Stays)
	for i := len(l.Steps) - 1; i >= 0; i-- {
		for _, root := range l.Steps[i] {
			delete(w.gone.Removed, root)
		}
		w.mark(l.Steps[i], int32(i+1))
	}
	w.addHistory(history, l)
	return w
}

// history takes the leases of build history away, which hold no snapshots: of a
// config that only they hold in the end, the snapshots are freed.
func (w *Places) history(ended map[graph.Node]bool) (taken []graph.Node) {
	for lease := range w.c.History() {
		if !ended[lease] && w.c.Live(w.c.Spaces[lease.Namespace].LeaseByID[lease.Key]) {
			w.gone.Ignored[lease] = true
			taken = append(taken, lease)
		}
	}
	return taken
}

// addHistory marks what build history holds when all steps are done. A config of an
// image that goes, and that nothing else holds, has lost its snapshot labels by then.
func (w *Places) addHistory(history []graph.Node, l Leaving) {
	if len(history) == 0 {
		return
	}
	gone := Change{Removed: l.Removed, StandIns: l.StandIns, Unleased: make(map[graph.Node]bool)}
	touched := w.c.Mark(l.Victims, Change{})
	for _, id := range touched.Order {
		if n := w.c.Graph.Nodes[id]; w.at[id] < Stays && w.c.MayOrphan(n) {
			gone.Unleased[n] = true
		}
	}
	reached := w.c.Mark(history, gone)
	for _, id := range reached.Order {
		w.at[id] = Stays
	}
}

// mark marks what roots reach that nothing before them did. What was reached before
// while it was gone itself, as a name that a label refers to, is followed again.
func (w *Places) mark(roots []graph.Node, at int32) {
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

// Of is the place of an object, held flat or not.
func (w *Places) Of(n graph.Node) int32 {
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

// OfBlob is the place of the file of a blob, which all namespaces share that know it.
func (w *Places) OfBlob(dgst digest.Digest) (at int32) {
	for _, n := range w.c.FileNodes(dgst) {
		at = max(at, w.Of(n))
	}
	return at
}

// FileNodes are those that keep the file of a blob.
func (c *Collector) FileNodes(dgst digest.Digest) (nodes []graph.Node) {
	for _, s := range c.Homes(dgst) {
		nodes = append(nodes, graph.ContentNode(s.Name, dgst))
	}
	return append(nodes, c.Awaited[dgst]...)
}
