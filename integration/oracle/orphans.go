package oracle

import "github.com/opencontainers/go-digest"

// cutOrphans stops at configs that a removed record reached and no surviving
// one reaches.
func (g *graph) cutOrphans() {
	var gone, left []node
	for name, img := range g.ns.Images {
		if _, ok := g.now.Images[name]; !ok {
			gone = append(gone, contentNode(img.Target.Digest))
		}
	}
	for _, img := range g.now.Images { // stand-ins too
		left = append(left, contentNode(img.Target.Digest))
	}
	g.cut = map[digest.Digest]bool{}
	kept := g.walk(left)
	for n := range g.walk(gone) {
		if n.kind == "content" && !kept[n] {
			g.cut[digest.Digest(n.key)] = true
		}
	}
}
