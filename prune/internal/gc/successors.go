package gc

import (
	"strings"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// edgeList holds the successors of every node, one node's after the other's.
type edgeList struct {
	start []uint32 // of each node, and at the end the length of to
	to    []graph.NodeID
}

func (e *edgeList) Of(id graph.NodeID) []graph.NodeID {
	if id < 0 || int(id)+1 >= len(e.start) {
		return nil
	}
	return e.to[e.start[id]:e.start[id+1]]
}

// connect lists the successors of all nodes. Flat twins and objects that are
// only referred to get their numbers on the way, and their turn.
func (c *Collector) connect() edgeList {
	e := edgeList{start: []uint32{0}}
	for id := graph.NodeID(0); int(id) < len(c.Graph.Nodes); id++ {
		c.successors(id, Change{}, func(to graph.Node) { e.to = append(e.to, c.Graph.ID(to)) }, func(to graph.NodeID) { e.to = append(e.to, to) })
		e.start = append(e.start, uint32(len(e.to)))
	}
	return e
}

// Edges returns the function that lists the successors of a node after the
// change. Only those of nodes that the change touches are computed again.
func (c *Collector) Edges(ch Change) func(graph.NodeID) []graph.NodeID {
	touched := c.touched(ch)
	if touched == nil {
		return c.Next.Of
	}
	var buffer []graph.NodeID
	return func(id graph.NodeID) []graph.NodeID {
		if !touched[id] {
			return c.Next.Of(id)
		}
		buffer = buffer[:0]
		c.successors(id, ch,
			func(to graph.Node) {
				if found := c.Graph.Lookup(to); found != graph.Nowhere {
					buffer = append(buffer, found)
				}
			},
			func(to graph.NodeID) { buffer = append(buffer, to) })
		return buffer
	}
}

// touched says which nodes have other successors after the change, nil if
// none does.
func (c *Collector) touched(ch Change) []bool {
	if len(ch.Removed)+len(ch.StandIns)+len(ch.Unleased) == 0 && !ch.Unbound {
		return nil
	}
	touched := make([]bool, len(c.Graph.Nodes))
	touch := func(n graph.Node) {
		for _, flat := range [...]bool{false, true} {
			n.Flat = flat
			if id := c.Graph.Lookup(n); id != graph.Nowhere {
				touched[id] = true
			}
		}
	}
	for n := range ch.Removed {
		touch(n)
	}
	for n := range ch.StandIns {
		touch(n)
	}
	for n := range ch.Unleased {
		touch(n)
	}
	for id := range c.labels.back { // what refers to them may be removed
		touched[id] = true
	}
	return touched
}

// successors lists where a node leads to after the change: what its object
// says by itself, as nodes, and what labels say, by their numbers.
func (c *Collector) successors(id graph.NodeID, ch Change, own func(graph.Node), labelled func(graph.NodeID)) {
	n := c.Graph.Nodes[id]
	c.ownEdges(ch, n, own)
	if n.Flat {
		return
	}
	for _, to := range c.labels.back[id] {
		record := c.Graph.Nodes[to].Kind == graph.KindImage
		if !ch.Removed[c.Graph.Nodes[to]] && !(ch.Unbound && record) { // its label is gone with it
			labelled(to)
		}
	}
	if ch.Removed[n] {
		return
	}
	for _, to := range c.labels.conditions[id] {
		labelled(to)
	}
	bare := ch.Unleased[n]
	for _, to := range c.labels.linksOf(id) {
		if !bare || n.Kind != graph.KindContent || c.Graph.Nodes[to].Kind != graph.KindSnapshot {
			labelled(to)
		}
	}
}

// ownEdges lists the successors that come from the object itself and not from
// its labels.
func (c *Collector) ownEdges(ch Change, n graph.Node, visit func(graph.Node)) {
	s, ok := c.Spaces[n.Namespace]
	if !ok {
		return
	}
	switch n.Kind {
	case graph.KindSnapshot:
		snapshotter, key, _ := strings.Cut(n.Key, "/")
		if parent := s.Snapshots[inventory.SnapshotKey{Snapshotter: snapshotter, Key: key}].Parent; parent != "" {
			visit(graph.Node{Kind: graph.KindSnapshot, Flat: n.Flat, Namespace: n.Namespace, Key: snapshotter + "/" + parent})
		}
	case graph.KindImage:
		name := graph.Node{Kind: graph.KindImage, Namespace: n.Namespace, Key: n.Key}
		if target, ok := ch.StandIns[name]; ok {
			visit(graph.Node{Kind: graph.KindContent, Flat: n.Flat, Namespace: n.Namespace, Key: target.String()})
		} else if record, ok := s.Records[n.Key]; ok && !ch.Removed[name] {
			visit(graph.Node{Kind: graph.KindContent, Flat: n.Flat, Namespace: n.Namespace, Key: record.Target.Digest.String()})
		}
	case graph.KindContainer:
		if container := s.ContainerByID[n.Key]; container.Snapshotter != "" {
			key := inventory.SnapshotKey{Snapshotter: container.Snapshotter, Key: container.SnapshotKey}
			visit(graph.Node{Kind: graph.KindSnapshot, Namespace: n.Namespace, Key: key.String()})
		}
	case graph.KindLease:
		c.leaseEdges(s, n, visit)
	case graph.KindIngest:
		if expected := s.IngestByRef[n.Key]; expected != "" {
			visit(graph.Node{Kind: graph.KindContent, Namespace: n.Namespace, Key: expected.String()})
		}
	}
}

func (c *Collector) leaseEdges(s *Space, n graph.Node, visit func(graph.Node)) {
	lease := s.LeaseByID[n.Key]
	flat := leases.Flat(lease.Lease)
	for _, resource := range lease.Resources {
		to, ok := resourceNode(s.Name, resource.Type, resource.ID)
		if !ok {
			continue
		}
		if to.Kind == graph.KindImage && !c.Version.AtLeast(ImagesAreNodes) {
			continue
		}
		to.Flat = flat // no matter for an upload: what that expects is held whole
		visit(to)
	}
}

// resourceNode reads a lease's resource: its type is "content", "ingests",
// "images" or "snapshots/" and the snapshotter.
func resourceNode(ns, typ, id string) (graph.Node, bool) {
	if snapshotter, ok := strings.CutPrefix(typ, "snapshots/"); ok {
		return graph.Node{Kind: graph.KindSnapshot, Namespace: ns, Key: snapshotter + "/" + id}, true
	}
	kinds := map[string]graph.Kind{"content": graph.KindContent, "ingests": graph.KindIngest, "images": graph.KindImage}
	k, ok := kinds[typ]
	return graph.Node{Kind: k, Namespace: ns, Key: id}, ok
}
