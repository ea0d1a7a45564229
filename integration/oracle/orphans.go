package oracle

import (
	"regexp"

	"github.com/opencontainers/go-digest"
)

// runLease is what a run holds until it ends, or the next one for it.
const runLease = "ctr-prune"

// history is how buildkit calls the leases of its history, which have neither
// labels nor anything but content.
var history = regexp.MustCompile("^ref_[0-9a-z]{25}$")

func isHistory(l Lease) bool {
	for _, r := range l.Resources {
		if r.Type != "content" {
			return false
		}
	}
	return history.MatchString(l.ID) && len(l.Labels) == 0
}

// cutOrphans stops at configs that a removed record reached and that nothing
// but build history reaches now, or a run under way.
func (g *graph) cutOrphans() {
	var gone []node
	for name, img := range g.ns.Images {
		if _, ok := g.now.Images[name]; !ok {
			gone = append(gone, contentNode(img.Target.Digest))
		}
	}
	others := *g.now
	others.Leases = map[string]Lease{}
	for id, l := range g.now.Leases {
		if id != runLease && !isHistory(l) {
			others.Leases[id] = l
		}
	}
	left := g.state.roots(&others)
	g.cut = map[digest.Digest]bool{}
	kept := g.walk(left)
	for n := range g.walk(gone) {
		if n.kind == "content" && !kept[n] {
			g.cut[digest.Digest(n.key)] = true
		}
	}
}
