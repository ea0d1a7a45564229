package plan

import (
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// Going is an image that a plan removes, under one of its names.
type Going struct {
	Namespace string        `json:"namespace"`
	Name      string        `json:"name"`
	Target    digest.Digest `json:"target"`
	// Bytes are those of what goes with it. What it shares with others that
	// go counts for each.
	Bytes int64 `json:"bytes"`
	// AtLeast says that Bytes is a lower bound: images refer to each other in
	// more ways than are followed.
	AtLeast bool `json:"atLeast,omitempty"`
}

// Going lists the images that the plan removes, in no useful order.
func (p *Plan) Going() []Going {
	c := p.Modelled().Collector
	var targets []graph.Node
	var list []Going
	seen := make(map[ImageKey]bool)
	for _, d := range p.Decisions {
		key := ImageKey{d.Namespace, d.Target.Digest}
		if d.Action != rules.Remove || seen[key] {
			continue
		}
		seen[key] = true
		list = append(list, Going{Namespace: d.Namespace, Name: d.Name, Target: d.Target.Digest})
		targets = append(targets, graph.Node{Kind: graph.KindContent, Namespace: d.Namespace, Key: d.Target.Digest.String()})
	}
	totals := c.Totals(c.Weights(p.freed), targets)
	for i := range list {
		sum := totals[targets[i]]
		list[i].Bytes, list[i].AtLeast = sum.TotalBytes, sum.Bound || sum.AtLeast
	}
	return list
}

// freed returns the size of what the plan frees.
func (p *Plan) freed(n graph.Node) (bytes int64, ok bool) {
	if n.Kind == graph.KindContent {
		bytes, ok = p.Outcome.Freed.Blobs[digest.Digest(n.Key)]
	} else {
		bytes, ok = p.Outcome.Freed.Snapshots[inventory.SnapshotOf(n)]
	}
	return bytes, ok
}

// ImageKey names an image: all records of a target in a namespace.
type ImageKey struct {
	Namespace string
	Target    digest.Digest
}
