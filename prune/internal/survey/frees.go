package survey

import (
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// objects are the blobs and snapshots of the store, by numbers, so that what a set of
// images frees takes one walk and no comparing of digests.
type objects struct {
	list []object
	// nodes are those of all objects, one's after the other's.
	nodes []graph.NodeID
	// of is the object of each node, none for what is neither blob nor snapshot.
	of []int32
}

type object struct {
	blob  digest.Digest // empty for a snapshot
	id    inventory.SnapshotID
	bytes int64
	// from and to are where its nodes are.
	from, to int32
	// alive says that a collection leaves it if nothing is removed, goes that it is
	// freed if all goes that may.
	alive, goes bool
}

// add adds it to a sum.
func (o *object) add(sum *inventory.Amount) {
	if o.blob != "" {
		sum.AddBlob(o.bytes)
	} else {
		sum.AddSnapshot(o.bytes)
	}
}

func (s *Survey) newObjects() *objects {
	all := &objects{of: make([]int32, len(s.c.Graph.Nodes))}
	for i := range all.of {
		all.of[i] = none
	}
	for dgst, bytes := range s.c.AllBlobs() {
		o := object{blob: dgst, bytes: bytes}
		_, o.goes = s.all.Outcome.Freed.Blobs[dgst]
		nodes := make([]graph.Node, 0, 2)
		for _, space := range s.c.Homes(dgst) {
			nodes = append(nodes, graph.ContentNode(space.Name, dgst))
		}
		all.add(s.c.Graph, o, append(nodes, s.c.Awaited[dgst]...))
	}
	for id, bytes := range s.c.Inv.AllSnapshots() {
		o := object{id: id, bytes: bytes}
		_, o.goes = s.all.Outcome.Freed.Snapshots[id]
		all.add(s.c.Graph, o, []graph.Node{id.Node()})
	}
	return all
}

// add adds an object that any of the nodes keeps, flat or not. An upload keeps a blob
// and is none.
func (all *objects) add(g *graph.Graph, o object, nodes []graph.Node) {
	o.from = int32(len(all.nodes))
	for _, n := range nodes {
		id := g.Lookup(n)
		if id == graph.Nowhere {
			continue
		}
		for _, id := range [...]graph.NodeID{id, g.Twin(id)} {
			if id == graph.Nowhere {
				continue
			}
			all.nodes = append(all.nodes, id)
			if n.Kind != graph.KindIngest {
				all.of[id] = int32(len(all.list))
			}
		}
	}
	o.to = int32(len(all.nodes))
	all.list = append(all.list, o)
}

// reached notes what is alive as the store is.
func (all *objects) reached(r reach) {
	for i := range all.list {
		all.list[i].alive = all.holder(&all.list[i], r) != graph.Nowhere
	}
}

// holder is a root that keeps an object.
func (all *objects) holder(o *object, r reach) graph.NodeID {
	for _, id := range all.nodes[o.from:o.to] {
		if r[id] != graph.Nowhere {
			return r[id]
		}
	}
	return graph.Nowhere
}

// root is where the collector starts: a record that may go with a bunch, or something
// else.
type root struct {
	id    graph.NodeID
	bunch int32
	// ends says that it ends with a run in its namespace: the lease of a killed run.
	ends bool
	// target is set for a record that takes the place of one that goes.
	target graph.NodeID
}

// listRoots lists the roots as the collector does, images first, and apart from them
// the leases of build history.
func (s *Survey) listRoots() (roots []root, history []graph.NodeID) {
	s.bunchAt = make([]int32, len(s.c.Graph.Nodes))
	for i := range s.bunchAt {
		s.bunchAt[i] = none
	}
	var standIns []root
	for i, bunch := range s.bunches {
		for _, d := range bunch.Going {
			for _, id := range s.recordNodes(d.Namespace, d.Name) {
				s.bunchAt[id] = int32(i)
			}
			if d.Action == rules.StandIn {
				standIns = append(standIns, root{
					id: s.c.Graph.Lookup(graph.ImageNode(d.Namespace, d.StandIn)), bunch: int32(i),
					target: s.c.Graph.Lookup(graph.ContentNode(d.Namespace, d.Target.Digest)),
				})
			}
		}
	}
	ended, old := s.all.Ended(), s.c.History()
	for _, n := range s.c.Roots(gc.Change{}) {
		r := root{id: s.c.Graph.Lookup(n), ends: ended[n], target: graph.Nowhere}
		r.bunch = s.bunchAt[r.id]
		if old[n] {
			history = append(history, r.id)
			continue
		}
		roots = append(roots, r)
	}
	return append(roots, standIns...), history
}

// reach is for each node the root that it is reached from, nowhere if it is not.
type reach []graph.NodeID

// recordNodes are the nodes of a record: a flat lease has one of its own.
func (s *Survey) recordNodes(namespace, name string) []graph.NodeID {
	id := s.c.Graph.Lookup(graph.ImageNode(namespace, name))
	if id == graph.Nowhere {
		return nil
	}
	if twin := s.c.Graph.Twin(id); twin != graph.Nowhere {
		return []graph.NodeID{id, twin}
	}
	return []graph.NodeID{id}
}

// marker marks what roots reach.
type marker struct {
	reach
	edges func(graph.NodeID) []graph.NodeID
	// absent says of records that they are not there: a label may still refer to them.
	absent func(graph.NodeID) bool
	gray   []graph.NodeID
}

// mark marks what a root reaches from a node on that was not reached before.
func (m *marker) mark(root, from graph.NodeID) {
	if from == graph.Nowhere || m.reach[from] != graph.Nowhere {
		return
	}
	m.reach[from] = root
	for m.gray = append(m.gray[:0], from); len(m.gray) > 0; {
		id := m.gray[len(m.gray)-1]
		m.gray = m.gray[:len(m.gray)-1]
		for _, to := range m.edges(id) {
			if m.reach[to] == graph.Nowhere && !m.absent(to) {
				m.reach[to] = root
				m.gray = append(m.gray, to)
			}
		}
	}
}

// marker marks by the edges of the store, in which nothing is absent.
func (s *Survey) marker() *marker {
	return &marker{reach: s.newReach(), edges: s.c.Next.Of, absent: func(graph.NodeID) bool { return false }}
}

func (s *Survey) newReach() reach {
	r := make(reach, len(s.c.Graph.Nodes))
	for i := range r {
		r[i] = graph.Nowhere
	}
	return r
}

// reach marks what a collection leaves when the bunches are gone. It is what the plan
// of them foresees, without a table of objects. touched is what the records refer to
// that go; nil if nothing does.
func (s *Survey) reach(gone []bool, touched reach) reach {
	m := s.marker()
	ending := s.namespacesOf(gone)
	goes := func(bunch int32) bool { return bunch != none && gone != nil && gone[bunch] }
	m.absent = func(id graph.NodeID) bool { return goes(s.bunchAt[id]) }
	for _, root := range s.roots {
		switch {
		case root.target != graph.Nowhere && goes(root.bunch):
			m.reach[root.id] = root.id
			m.mark(root.id, root.target)
		case root.target != graph.Nowhere || goes(root.bunch):
		case root.ends && ending[s.c.Graph.Nodes[root.id].Namespace]:
		default:
			m.mark(root.id, root.id)
		}
	}
	if len(s.history) > 0 {
		m.edges = s.withoutSnapshots(m.reach, touched)
	}
	for _, lease := range s.history {
		m.mark(lease, lease)
	}
	return m.reach
}

// withoutSnapshots are the edges from build history on: a config of an image that
// goes, and that nothing else holds, has lost its snapshot labels.
func (s *Survey) withoutSnapshots(r, touched reach) func(graph.NodeID) []graph.NodeID {
	unleased := make(map[graph.Node]bool)
	for id := range touched {
		if n := s.c.Graph.Nodes[id]; touched[id] != graph.Nowhere && r[id] == graph.Nowhere && s.c.MayOrphan(n) {
			unleased[n] = true
		}
	}
	return s.c.Edges(gc.Change{Unleased: unleased})
}

// namespacesOf are those in which something goes.
func (s *Survey) namespacesOf(gone []bool) map[string]bool {
	found := make(map[string]bool)
	for i, goes := range gone {
		if goes {
			found[s.bunches[i].Namespace] = true
		}
	}
	return found
}

// touch marks what the targets of the records reach that go.
func (s *Survey) touch(gone []bool) reach {
	m := s.marker()
	for i, goes := range gone {
		if !goes {
			continue
		}
		for _, d := range s.bunches[i].Going {
			id := s.c.Graph.Lookup(graph.ContentNode(d.Namespace, d.Target.Digest))
			m.mark(id, id)
		}
	}
	return m.reach
}
