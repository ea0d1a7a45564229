package plan

import (
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// Elsewhere counts the images of the namespaces that the plan leaves out, for a user
// who looked in the wrong one. Those of build history, in which nothing is ever
// removed, do not help.
func (p *Plan) Elsewhere() map[string]int {
	counts := make(map[string]int)
	for _, ns := range p.Inventory.Namespaces {
		history := strings.HasSuffix(ns.Name, inventory.HistorySuffix)
		if len(ns.Images) > 0 && !history && !rules.ContainsNamespace(p.Chosen, ns) {
			counts[ns.Name] = countImages(ns)
		}
	}
	return counts
}

// countImages counts the images of a namespace, each with all its names once.
func countImages(ns *inventory.Namespace) int {
	targets := make(map[digest.Digest]struct{})
	for i := range ns.Images {
		targets[ns.Images[i].Target.Digest] = struct{}{}
	}
	return len(targets)
}
