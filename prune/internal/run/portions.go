package run

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// portion is the least that a run can give up: a target of records that it
// deleted, with what is about it, such as its signatures.
type portion struct {
	namespace string
	targets   []digest.Digest
	// objects are how many objects a collection can remove when this portion is
	// given up after those before it: one for its blobs, which go quickly, and
	// its snapshots.
	objects int
}

// portions divides what the run deleted and still holds.
func (x *Execution) portions() []portion {
	var all []portion
	for _, b := range x.Batches {
		tried := make(map[[2]string]bool, len(b.Records))
		for _, d := range x.attempted[b.Namespace.Name] {
			tried[d.Key()] = true
		}
		at := make(map[digest.Digest]int) // where the portion of a target is in the list
		for _, d := range b.Records {
			if tried[d.Key()] {
				all = addTo(all, at, d, b.Namespace.Subjects[d.Target.Digest])
			}
		}
	}
	x.weigh(all)
	return all
}

// addTo adds the target of a record to the portion of its subject, or to its own.
func addTo(all []portion, at map[digest.Digest]int, d rules.Decision, subject digest.Digest) []portion {
	target := d.Target.Digest
	group := cmp.Or(subject, target)
	i, known := at[group]
	if !known {
		i = len(all)
		at[group] = i
		all = append(all, portion{namespace: d.Namespace})
	}
	if !slices.Contains(all[i].targets, target) {
		all[i].targets = append(all[i].targets, target)
	}
	return all
}

// weigh counts the snapshots of the plan that each portion is the last to reach.
func (x *Execution) weigh(all []portion) {
	c := gc.NewCollector(x.plan.Inventory, x.plan.Now)
	goes := make([]bool, len(c.Graph.Nodes))
	for id := range x.plan.Outcome.Freed.Snapshots {
		if n := c.Graph.Lookup(id.Node()); n != graph.Nowhere {
			goes[n] = true
		}
	}
	counted := make([]bool, len(c.Graph.Nodes))
	walk := c.Walk()
	for i := range slices.Backward(all) {
		p := &all[i]
		p.objects = 1
		for _, target := range p.targets {
			walk.Within(graph.ContentNode(p.namespace, target), func(id graph.NodeID) bool { return !counted[id] }, func(id graph.NodeID) {
				counted[id] = true
				if goes[id] {
					p.objects++
				}
			})
		}
	}
}
