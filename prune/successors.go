package prune

import (
	"strings"

	"github.com/ctr-prune/ctr-prune/leases"
)

// edges returns the function that lists the successors of a node after the
// change.
func (c *collector) edges(ch change) func(n node, visit func(node)) {
	return func(n node, visit func(node)) {
		c.ownEdges(ch, n, visit)
		if n.flat {
			return
		}
		for _, to := range c.labels.back[n] {
			if !ch.removed[to] { // its label is gone with it
				visit(to)
			}
		}
		if ch.removed[n] {
			return
		}
		for _, to := range c.labels.conditions[n] {
			visit(to)
		}
		for _, to := range c.labels.links[n] {
			if n.kind != kindContent || to.kind != kindSnapshot || !ch.unleased[n] {
				visit(to)
			}
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
		c.leaseEdges(s, ch, n, visit)
	case kindIngest:
		if expected := s.ingests[n.key]; expected != "" {
			visit(node{kind: kindContent, ns: n.ns, key: expected.String()})
		}
	}
}

func (c *collector) leaseEdges(s *space, ch change, n node, visit func(node)) {
	lease := s.leases[n.key]
	flat := leases.Flat(lease.Lease)
	for _, resource := range lease.Resources {
		to, ok := resourceNode(s.Name, resource.Type, resource.ID)
		if !ok || ch.severed[[2]node{n, to}] {
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
