package prune

import (
	"fmt"
	"slices"

	"github.com/opencontainers/go-digest"
)

// maxChains bounds how many holders are listed.
const maxChains = 20

// chain leads from a root to an object.
type chain []node

// maxLinks bounds how much of a chain is shown: labels may lead through any
// number of objects.
const maxLinks = 32

// KindOmitted is the kind of the object that stands for links of a chain which
// are not listed; its name is how many.
const KindOmitted = "omitted"

func (c chain) objects() []Object {
	objects := make([]Object, 0, min(len(c), maxLinks+1))
	for i, n := range c {
		switch omitted := len(c) - maxLinks; {
		case omitted <= 1 || i < maxLinks/2 || i >= maxLinks/2+omitted:
			objects = append(objects, n.object())
		case i == maxLinks/2:
			objects = append(objects, Object{Kind: KindOmitted, Namespace: n.ns, Name: fmt.Sprintf("%d more", omitted)})
		}
	}
	return objects
}

// chains finds for each root that reaches the object a shortest way from it,
// by going up. A blob is also held by what holds it in other namespaces. Beyond
// maxChains a chain is its root alone.
func (c *collector) chains(n node) []chain {
	up := c.reversed()
	isRoot := make(map[nodeID]bool)
	for _, root := range c.roots(change{}) {
		isRoot[c.graph.lookup(root)] = true
	}
	down := make(map[nodeID]nodeID) // the next node on the way to the object
	var gray []nodeID
	for _, start := range c.copies(n) {
		for _, flat := range [...]bool{false, true} {
			start.flat = flat
			if id := c.graph.lookup(start); id != nowhere {
				down[id] = id
				gray = append(gray, id)
			}
		}
	}
	var found []chain
	for len(gray) > 0 {
		next := gray[0]
		gray = gray[1:]
		switch {
		case isRoot[next] && len(found) < maxChains:
			found = append(found, c.follow(down, next))
		case isRoot[next]: // of the rest only the root is asked for
			found = append(found, chain{c.graph.nodes[next]})
		}
		for _, above := range c.sorted(up.of(next)) {
			if _, seen := down[above]; !seen {
				down[above] = next
				gray = append(gray, above)
			}
		}
	}
	return found
}

func (c *collector) follow(down map[nodeID]nodeID, from nodeID) chain {
	way := chain{c.graph.nodes[from]}
	for down[from] != from {
		from = down[from]
		way = append(way, c.graph.nodes[from])
	}
	return way
}

// sorted orders nodes as people expect them.
func (c *collector) sorted(ids []nodeID) []nodeID {
	return slices.SortedFunc(slices.Values(ids), func(a, b nodeID) int { return compareNodes(c.graph.nodes[a], c.graph.nodes[b]) })
}

// copies lists a blob in all namespaces that know it, anything else as it is.
func (c *collector) copies(n node) []node {
	all := []node{n}
	if n.kind != kindContent {
		return all
	}
	for _, s := range c.homes[digest.Digest(n.key)] {
		if s.Name != n.ns {
			all = append(all, node{kind: kindContent, ns: s.Name, key: n.key})
		}
	}
	return all
}

// reversed turns all edges around: the number of those that lead to each node
// gives their places.
func (c *collector) reversed() edgeList {
	up := edgeList{start: make([]uint32, len(c.graph.nodes)+1), to: make([]nodeID, len(c.next.to))}
	for _, to := range c.next.to {
		up.start[to+1]++
	}
	for i := range c.graph.nodes {
		up.start[i+1] += up.start[i]
	}
	place := slices.Clone(up.start)
	for from := range c.graph.nodes {
		for _, to := range c.next.of(nodeID(from)) {
			up.to[place[to]] = nodeID(from)
			place[to]++
		}
	}
	return up
}
