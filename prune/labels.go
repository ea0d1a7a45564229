package prune

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// labelIndex is what the labels of a store say, read once for all marks.
type labelIndex struct {
	graph   *graph
	version release
	// links are the edges that start at the labelled object, by its number.
	links [][]nodeID
	// back are the edges that start at an object which does not know of them.
	back map[nodeID][]nodeID
	// conditions are edges that start at the labelled object, as links, for
	// the labels whose condition holds.
	conditions map[nodeID][]nodeID
	// roots are the objects that are labelled as roots.
	roots []node

	pending []pending
	// usedAt are the first and the last time at which a snapshot was used: what
	// holds for any time holds for one of these.
	usedAt map[nodeID][2]time.Time
}

// pending is a conditional edge, to be judged when all labels are known.
type pending struct {
	from, to  nodeID
	condition string
}

// indexLabels numbers all objects and reads their labels.
func (c *collector) indexLabels() labelIndex {
	idx := labelIndex{
		graph: c.graph, version: c.version, usedAt: make(map[nodeID][2]time.Time),
		back: make(map[nodeID][]nodeID), conditions: make(map[nodeID][]nodeID),
	}
	for _, s := range c.order {
		idx.addNamespace(s.Namespace)
	}
	for _, p := range idx.pending {
		times, used := idx.usedAt[p.to]
		if used && (holdsAt(p.condition, times[0], c.now) || holdsAt(p.condition, times[1], c.now)) {
			idx.conditions[p.from] = append(idx.conditions[p.from], p.to)
		}
	}
	// What is few is sorted here, instead of all objects before.
	for _, to := range idx.back {
		slices.SortFunc(to, func(a, b nodeID) int { return compareNodes(c.graph.nodes[a], c.graph.nodes[b]) })
	}
	slices.SortFunc(idx.roots, compareNodes)
	return idx
}

func (idx *labelIndex) addNamespace(ns *Namespace) {
	for dgst, blob := range ns.Blobs {
		idx.add(node{kind: kindContent, ns: ns.Name, key: dgst.String()}, blob.Labels)
	}
	for key, snapshot := range ns.Snapshots {
		id := idx.add(node{kind: kindSnapshot, ns: ns.Name, key: key.String()}, snapshot.Labels)
		if times, used := usedTimes(snapshot.Labels); used {
			idx.usedAt[id] = times
		}
	}
	for _, container := range ns.Containers {
		idx.add(node{kind: kindContainer, ns: ns.Name, key: container.ID}, container.Labels)
	}
	for _, sandbox := range ns.Sandboxes {
		idx.add(node{kind: kindSandbox, ns: ns.Name, key: sandbox.ID}, sandbox.Labels)
	}
	for _, image := range ns.Images {
		idx.add(node{kind: kindImage, ns: ns.Name, key: image.Name}, image.Labels)
	}
	for _, lease := range ns.Leases {
		idx.graph.id(node{kind: kindLease, ns: ns.Name, key: lease.ID})
	}
	for _, ingest := range ns.Ingests {
		idx.graph.id(node{kind: kindIngest, ns: ns.Name, key: ingest.Ref})
	}
}

// add files one object with its labels.
func (idx *labelIndex) add(n node, labels map[string]string) nodeID {
	id := idx.graph.id(n)
	var links []nodeID
	for _, key := range gcKeys(labels) {
		r, ok := parseRef(idx.version, n.ns, key, labels[key])
		if !ok {
			continue
		}
		switch r.how {
		case forward:
			links = append(links, idx.graph.id(r.to))
		case backward:
			// The collector does not look for one on a sandbox or a live
			// record. It makes no difference: those are roots already.
			to := idx.graph.id(r.to)
			idx.back[to] = append(idx.back[to], id)
		case conditional:
			if n.kind == kindContent || n.kind == kindImage {
				idx.pending = append(idx.pending, pending{from: id, to: idx.graph.id(r.to), condition: r.condition})
			}
		case rooted:
			if n.kind == kindContent || n.kind == kindSnapshot {
				idx.roots = append(idx.roots, n)
			}
		}
	}
	if len(links) > 0 {
		idx.setLinks(id, links)
	}
	return id
}

func (idx *labelIndex) setLinks(id nodeID, links []nodeID) {
	for int(id) >= len(idx.links) {
		idx.links = append(idx.links, make([][]nodeID, len(idx.graph.nodes)-len(idx.links))...)
	}
	idx.links[id] = links
}

func (idx *labelIndex) linksOf(id nodeID) []nodeID {
	if int(id) < len(idx.links) {
		return idx.links[id]
	}
	return nil
}

// gcKeys returns the keys that may mean something to the collector, sorted.
func gcKeys(labels map[string]string) []string {
	var keys []string
	for key := range labels {
		if strings.HasPrefix(key, labelPrefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// usedTimes returns the first and the last of the times at which a snapshot
// was used.
func usedTimes(labels map[string]string) (times [2]time.Time, used bool) {
	for key, value := range labels {
		if !strings.HasPrefix(key, labelUsedAt) {
			continue
		}
		at, err := time.Parse(time.RFC3339, value)
		if err != nil {
			continue // containerd passes over it, too
		}
		if !used || at.Before(times[0]) {
			times[0] = at
		}
		if !used || at.After(times[1]) {
			times[1] = at
		}
		used = true
	}
	return times, used
}

func compareSnapshotKeys(a, b SnapshotKey) int {
	return cmp.Or(cmp.Compare(a.Snapshotter, b.Snapshotter), cmp.Compare(a.Key, b.Key))
}

func compareNodes(a, b node) int {
	return cmp.Or(cmp.Compare(a.ns, b.ns), cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key))
}
