package plan

import (
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// Leaving is what the plan lets go, without an order.
func (p *Plan) Leaving() gc.Leaving {
	l := gc.Leaving{Ended: p.Ended(), Removed: make(map[graph.Node]bool), StandIns: make(map[graph.Node]digest.Digest)}
	for i := range p.Decisions {
		d := &p.Decisions[i]
		if !d.Gone() {
			continue
		}
		l.Removed[graph.ImageNode(d.Namespace, d.Name)] = true
		if d.Action == rules.StandIn {
			l.StandIns[graph.ImageNode(d.Namespace, d.StandIn)] = d.Target.Digest
		}
		if !d.Collected { // where it is, the run touches nothing
			l.Victims = append(l.Victims, graph.ContentNode(d.Namespace, d.Target.Digest))
		}
	}
	return l
}
