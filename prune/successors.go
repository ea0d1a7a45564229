package prune

import (
	"strings"

	"github.com/ctr-prune/ctr-prune/leases"
)

// edgeList holds the successors of every node, one node's after the other's.
type edgeList struct {
	start []uint32 // of each node, and at the end the length of to
	to    []nodeID
}

func (e *edgeList) of(id nodeID) []nodeID {
	if id < 0 || int(id)+1 >= len(e.start) {
		return nil
	}
	return e.to[e.start[id]:e.start[id+1]]
}

// connect lists the successors of all nodes. Flat twins and objects that are
// only referred to get their numbers on the way, and their turn.
func (c *collector) connect() edgeList {
	e := edgeList{start: []uint32{0}}
	for id := nodeID(0); int(id) < len(c.graph.nodes); id++ {
		c.successors(id, change{}, func(to node) { e.to = append(e.to, c.graph.id(to)) }, func(to nodeID) { e.to = append(e.to, to) })
		e.start = append(e.start, uint32(len(e.to)))
	}
	return e
}

// edges returns the function that lists the successors of a node after the
// change. Only those of nodes that the change touches are computed again.
func (c *collector) edges(ch change) func(nodeID) []nodeID {
	touched := c.touched(ch)
	if touched == nil {
		return c.next.of
	}
	var buffer []nodeID
	return func(id nodeID) []nodeID {
		if !touched[id] {
			return c.next.of(id)
		}
		buffer = buffer[:0]
		c.successors(id, ch,
			func(to node) {
				if found := c.graph.lookup(to); found != nowhere {
					buffer = append(buffer, found)
				}
			},
			func(to nodeID) { buffer = append(buffer, to) })
		return buffer
	}
}

// touched says which nodes have other successors after the change, nil if
// none does.
func (c *collector) touched(ch change) []bool {
	if len(ch.removed)+len(ch.standIns)+len(ch.unleased) == 0 && !ch.unbound {
		return nil
	}
	touched := make([]bool, len(c.graph.nodes))
	touch := func(n node) {
		for _, flat := range [...]bool{false, true} {
			n.flat = flat
			if id := c.graph.lookup(n); id != nowhere {
				touched[id] = true
			}
		}
	}
	for n := range ch.removed {
		touch(n)
	}
	for n := range ch.standIns {
		touch(n)
	}
	for n := range ch.unleased {
		touch(n)
	}
	for id := range c.labels.back { // what refers to them may be removed
		touched[id] = true
	}
	return touched
}

// successors lists where a node leads to after the change: what its object
// says by itself, as nodes, and what labels say, by their numbers.
func (c *collector) successors(id nodeID, ch change, own func(node), labelled func(nodeID)) {
	n := c.graph.nodes[id]
	c.ownEdges(ch, n, own)
	if n.flat {
		return
	}
	for _, to := range c.labels.back[id] {
		record := c.graph.nodes[to].kind == kindImage
		if !ch.removed[c.graph.nodes[to]] && !(ch.unbound && record) { // its label is gone with it
			labelled(to)
		}
	}
	if ch.removed[n] {
		return
	}
	for _, to := range c.labels.conditions[id] {
		labelled(to)
	}
	bare := ch.unleased[n]
	for _, to := range c.labels.linksOf(id) {
		if !bare || n.kind != kindContent || c.graph.nodes[to].kind != kindSnapshot {
			labelled(to)
		}
	}
}

// ownEdges lists the successors that come from the object itself and not from
// its labels.
func (c *collector) ownEdges(ch change, n node, visit func(node)) {
	s, ok := c.spaces[n.ns]
	if !ok {
		return
	}
	switch n.kind {
	case kindSnapshot:
		snapshotter, key, _ := strings.Cut(n.key, "/")
		if parent := s.Snapshots[SnapshotKey{snapshotter, key}].Parent; parent != "" {
			visit(node{kind: kindSnapshot, flat: n.flat, ns: n.ns, key: snapshotter + "/" + parent})
		}
	case kindImage:
		name := node{kind: kindImage, ns: n.ns, key: n.key}
		if target, ok := ch.standIns[name]; ok {
			visit(node{kind: kindContent, flat: n.flat, ns: n.ns, key: target.String()})
		} else if record, ok := s.records[n.key]; ok && !ch.removed[name] {
			visit(node{kind: kindContent, flat: n.flat, ns: n.ns, key: record.Target.Digest.String()})
		}
	case kindContainer:
		if container := s.containers[n.key]; container.Snapshotter != "" {
			key := SnapshotKey{container.Snapshotter, container.SnapshotKey}
			visit(node{kind: kindSnapshot, ns: n.ns, key: key.String()})
		}
	case kindLease:
		c.leaseEdges(s, n, visit)
	case kindIngest:
		if expected := s.ingests[n.key]; expected != "" {
			visit(node{kind: kindContent, ns: n.ns, key: expected.String()})
		}
	}
}

func (c *collector) leaseEdges(s *space, n node, visit func(node)) {
	lease := s.leases[n.key]
	flat := leases.Flat(lease.Lease)
	for _, resource := range lease.Resources {
		to, ok := resourceNode(s.Name, resource.Type, resource.ID)
		if !ok {
			continue
		}
		if to.kind == kindImage && !c.version.atLeast(imagesAreNodes) {
			continue
		}
		to.flat = flat // no matter for an upload: what that expects is held whole
		visit(to)
	}
}

// resourceNode reads a lease's resource: its type is "content", "ingests",
// "images" or "snapshots/" and the snapshotter.
func resourceNode(ns, typ, id string) (node, bool) {
	if snapshotter, ok := strings.CutPrefix(typ, "snapshots/"); ok {
		return node{kind: kindSnapshot, ns: ns, key: snapshotter + "/" + id}, true
	}
	kinds := map[string]kind{"content": kindContent, "ingests": kindIngest, "images": kindImage}
	k, ok := kinds[typ]
	return node{kind: k, ns: ns, key: id}, ok
}
