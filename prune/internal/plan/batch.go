package plan

import (
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// Batch is the records of one namespace that are removed.
type Batch struct {
	Namespace *inventory.Namespace
	Records   []rules.Decision
}

// Batches groups what is removed by namespace, in order. A namespace with
// nothing to remove is among them if the run has other work there.
func (p *Plan) Batches() []Batch {
	if p.Blocked != nil {
		return nil
	}
	going := make(map[string][]rules.Decision)
	for _, d := range p.Decisions {
		if d.Gone() && !d.Collected {
			going[d.Namespace] = append(going[d.Namespace], d)
		}
	}
	aborts := make(map[string]bool)
	for _, u := range p.Uploads {
		aborts[u.Namespace] = aborts[u.Namespace] || u.Action == rules.Remove
	}
	var all []Batch
	for _, ns := range p.Chosen {
		records := going[ns.Name]
		if len(records) > 0 || aborts[ns.Name] || len(ns.Interrupted) > 0 || p.collectsGarbage() {
			all = append(all, Batch{Namespace: ns, Records: records})
		}
	}
	return all
}
