package gc

import (
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
)

// MaxChains bounds how many holders are listed.
const MaxChains = 20

// Chain leads from a root to an object.
type Chain []graph.Node

// MaxLinks bounds how much of a chain is shown: labels may lead through any
// number of objects.
const MaxLinks = 32

// KindOmitted is the kind of the object that stands for links of a chain which
// are not listed; its name is how many.
const KindOmitted = "omitted"

// Objects are the links of a chain, of a long one both ends.
func (c Chain) Objects() []graph.Object {
	objects := make([]graph.Object, 0, min(len(c), MaxLinks+1))
	for i, n := range c {
		switch omitted := len(c) - MaxLinks; {
		case omitted <= 1 || i < MaxLinks/2 || i >= MaxLinks/2+omitted:
			objects = append(objects, n.Object())
		case i == MaxLinks/2:
			objects = append(objects, graph.Object{Kind: KindOmitted, Namespace: n.Namespace, Name: fmt.Sprintf("%d more", omitted)})
		}
	}
	return objects
}

// Chains finds for each root that reaches the object a shortest way from it,
// by going up. A blob is also held by what holds it in other namespaces. Beyond
// maxChains a chain is its root alone.
func (c *Collector) Chains(n graph.Node) []Chain {
	up := c.Reversed()
	isRoot := make(map[graph.NodeID]bool)
	for _, root := range c.Roots(Change{}) {
		isRoot[c.Graph.Lookup(root)] = true
	}
	down := make(map[graph.NodeID]graph.NodeID) // the next node on the way to the object
	var gray []graph.NodeID
	for _, start := range c.copies(n) {
		for _, flat := range [...]bool{false, true} {
			start.Flat = flat
			if id := c.Graph.Lookup(start); id != graph.Nowhere {
				down[id] = id
				gray = append(gray, id)
			}
		}
	}
	var found []Chain
	for len(gray) > 0 {
		next := gray[0]
		gray = gray[1:]
		switch {
		case isRoot[next] && len(found) < MaxChains:
			found = append(found, c.follow(down, next))
		case isRoot[next]: // of the rest only the root is asked for
			found = append(found, Chain{c.Graph.Nodes[next]})
		}
		for _, above := range c.sorted(up.Of(next)) {
			if _, seen := down[above]; !seen {
				down[above] = next
				gray = append(gray, above)
			}
		}
	}
	return found
}

func (c *Collector) follow(down map[graph.NodeID]graph.NodeID, from graph.NodeID) Chain {
	way := Chain{c.Graph.Nodes[from]}
	for down[from] != from {
		from = down[from]
		way = append(way, c.Graph.Nodes[from])
	}
	return way
}

// sorted orders nodes as people expect them.
func (c *Collector) sorted(ids []graph.NodeID) []graph.NodeID {
	return slices.SortedFunc(slices.Values(ids), func(a, b graph.NodeID) int { return CompareNodes(c.Graph.Nodes[a], c.Graph.Nodes[b]) })
}

// copies lists a blob in all namespaces that know it, anything else as it is.
func (c *Collector) copies(n graph.Node) []graph.Node {
	all := []graph.Node{n}
	if n.Kind != graph.KindContent {
		return all
	}
	for _, s := range c.Homes(digest.Digest(n.Key)) {
		if s.Name != n.Namespace {
			all = append(all, graph.Node{Kind: graph.KindContent, Namespace: s.Name, Key: n.Key})
		}
	}
	return all
}

// Reversed turns all edges around: the number of those that lead to each node
// gives their places.
func (c *Collector) Reversed() edgeList {
	up := edgeList{start: make([]uint32, len(c.Graph.Nodes)+1), to: make([]graph.NodeID, len(c.Next.to))}
	for _, to := range c.Next.to {
		up.start[to+1]++
	}
	for i := range c.Graph.Nodes {
		up.start[i+1] += up.start[i]
	}
	place := slices.Clone(up.start)
	for from := range c.Graph.Nodes {
		for _, to := range c.Next.Of(graph.NodeID(from)) {
			up.to[place[to]] = graph.NodeID(from)
			place[to]++
		}
	}
	return up
}
