package gc

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// labelIndex is what the labels of a store say, read once for all marks.
type labelIndex struct {
	graph   *graph.Graph
	version Release
	// links are the edges that start at the labelled object, by its number.
	links [][]graph.NodeID
	// back are the edges that start at an object which does not know of them.
	back map[graph.NodeID][]graph.NodeID
	// conditions are edges that start at the labelled object, as links, for
	// the labels whose condition holds.
	conditions map[graph.NodeID][]graph.NodeID
	// roots are the objects that are labelled as roots.
	roots []graph.Node

	pending []pending
	// usedAt are the first and the last time at which a snapshot was used: what
	// holds for any time holds for one of these.
	usedAt map[graph.NodeID][2]time.Time
}

// pending is a conditional edge, to be judged when all labels are known.
type pending struct {
	from, to  graph.NodeID
	condition string
}

// indexLabels numbers all objects and reads their labels.
func (c *Collector) indexLabels() labelIndex {
	idx := labelIndex{
		graph: c.Graph, version: c.Version, usedAt: make(map[graph.NodeID][2]time.Time),
		back: make(map[graph.NodeID][]graph.NodeID), conditions: make(map[graph.NodeID][]graph.NodeID),
	}
	for _, s := range c.Order {
		idx.addNamespace(s.Namespace)
	}
	for _, p := range idx.pending {
		times, used := idx.usedAt[p.to]
		if used && (HoldsAt(p.condition, times[0], c.Now) || HoldsAt(p.condition, times[1], c.Now)) {
			idx.conditions[p.from] = append(idx.conditions[p.from], p.to)
		}
	}
	// What is few is sorted here, instead of all objects before.
	for _, to := range idx.back {
		slices.SortFunc(to, func(a, b graph.NodeID) int { return CompareNodes(c.Graph.Nodes[a], c.Graph.Nodes[b]) })
	}
	slices.SortFunc(idx.roots, CompareNodes)
	return idx
}

func (idx *labelIndex) addNamespace(ns *inventory.Namespace) {
	for dgst, blob := range ns.Blobs {
		idx.hold(ns, idx.add(graph.Node{Kind: graph.KindContent, Namespace: ns.Name, Key: dgst.String()}, blob.Labels))
	}
	for key, snapshot := range ns.Snapshots {
		id := idx.add(graph.Node{Kind: graph.KindSnapshot, Namespace: ns.Name, Key: key.String()}, snapshot.Labels)
		idx.hold(ns, id)
		if times, used := usedTimes(snapshot.Labels); used {
			idx.usedAt[id] = times
		}
	}
	for _, container := range ns.Containers {
		idx.add(graph.Node{Kind: graph.KindContainer, Namespace: ns.Name, Key: container.ID}, inventory.LabelsOf(container.Labels))
	}
	for _, sandbox := range ns.Sandboxes {
		idx.add(graph.Node{Kind: graph.KindSandbox, Namespace: ns.Name, Key: sandbox.ID}, inventory.LabelsOf(sandbox.Labels))
	}
	for _, image := range ns.Images {
		idx.add(graph.Node{Kind: graph.KindImage, Namespace: ns.Name, Key: image.Name}, inventory.LabelsOf(image.Labels))
	}
	for _, lease := range ns.Leases {
		idx.graph.ID(graph.Node{Kind: graph.KindLease, Namespace: ns.Name, Key: lease.ID})
	}
	for _, ingest := range ns.Ingests {
		idx.graph.ID(graph.Node{Kind: graph.KindIngest, Namespace: ns.Name, Key: ingest.Ref})
	}
}

// hold makes an object of a namespace that could not be read a root, because what
// holds it may be what could not be read.
func (idx *labelIndex) hold(ns *inventory.Namespace, id graph.NodeID) {
	if ns.Unread != "" {
		idx.roots = append(idx.roots, idx.graph.Nodes[id])
	}
}

// add files one object with its labels.
func (idx *labelIndex) add(n graph.Node, labels inventory.Labels) graph.NodeID {
	id := idx.graph.ID(n)
	var links []graph.NodeID
	for _, label := range labels {
		r, ok := ParseRef(idx.version, n.Namespace, label.Key, label.Value)
		if !ok {
			continue
		}
		switch r.How {
		case Forward:
			links = append(links, idx.graph.ID(r.To))
		case backward:
			// The collector does not look for one on a sandbox or a live
			// record. It makes no difference: those are roots already.
			to := idx.graph.ID(r.To)
			idx.back[to] = append(idx.back[to], id)
		case conditional:
			if n.Kind == graph.KindContent || n.Kind == graph.KindImage {
				idx.pending = append(idx.pending, pending{from: id, to: idx.graph.ID(r.To), condition: r.condition})
			}
		case rooted:
			if n.Kind == graph.KindContent || n.Kind == graph.KindSnapshot {
				idx.roots = append(idx.roots, n)
			}
		}
	}
	if len(links) > 0 {
		idx.setLinks(id, links)
	}
	return id
}

func (idx *labelIndex) setLinks(id graph.NodeID, links []graph.NodeID) {
	for int(id) >= len(idx.links) {
		idx.links = append(idx.links, make([][]graph.NodeID, len(idx.graph.Nodes)-len(idx.links))...)
	}
	idx.links[id] = links
}

func (idx *labelIndex) linksOf(id graph.NodeID) []graph.NodeID {
	if int(id) < len(idx.links) {
		return idx.links[id]
	}
	return nil
}

// usedTimes returns the first and the last of the times at which a snapshot
// was used.
func usedTimes(labels inventory.Labels) (times [2]time.Time, used bool) {
	for _, label := range labels {
		if !strings.HasPrefix(label.Key, labelUsedAt) {
			continue
		}
		at, err := time.Parse(time.RFC3339, label.Value)
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

// CompareNodes orders nodes by namespace, kind and key.
func CompareNodes(a, b graph.Node) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Key, b.Key))
}
