package oracle

import (
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
)

// graph gives the references of a namespace as they were before, with the
// records that there are now.
type graph struct {
	state   *State
	ns, now *Namespace
	// back are references that the referred object declares itself.
	back map[node][]node
	// cut are configs whose snapshots do not count.
	cut map[digest.Digest]bool
}

func newGraph(s *State, before, now *Namespace, at time.Time) *graph {
	g := &graph{state: s, ns: before, now: now, back: map[node][]node{}}
	for d, info := range before.Content {
		g.addBack(info.Labels, contentNode(d))
	}
	for k, info := range before.Snapshots {
		g.addBack(info.Labels, snapshotNode(k))
	}
	// Who removes a record removes what it says of itself. Those whose time is
	// not over are roots.
	for name, img := range now.Images {
		if expired(img.Labels, at) {
			g.addBack(img.Labels, imageNode(name))
		}
	}
	return g
}

// addBack notes the back references (2.2 and later) of an object.
func (g *graph) addBack(labels map[string]string, child node) {
	for k, v := range labels {
		rest, ok := strings.CutPrefix(k, "containerd.io/gc.bref.")
		if !ok {
			continue
		}
		kind, _, _ := strings.Cut(strings.ReplaceAll(rest, "/", "."), ".")
		parent := node{kind: kind, key: v}
		if kind == "snapshot" {
			name, _, _ := strings.Cut(strings.TrimPrefix(rest, "snapshot."), "/")
			parent = snapshotNode(SnapshotKey{name, v})
		}
		g.back[parent] = append(g.back[parent], child)
	}
}

// walk returns all that is reached from roots.
func (g *graph) walk(roots []node) map[node]bool {
	seen := map[node]bool{}
	todo := roots
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		todo = append(todo, g.refs(n)...)
	}
	return seen
}

func (g *graph) refs(n node) []node {
	switch n.kind {
	case "image":
		return g.imageRefs(n)
	case "snapshot":
		return g.snapshotRefs(n)
	case "content":
		return g.contentRefs(n)
	case "ingest":
		if want := g.ns.Ingests[n.key].Expected; want != "" {
			return []node{contentNode(want)}
		}
		return nil
	}
	return g.back[n] // a container: its own references are roots
}

func (g *graph) imageRefs(n node) []node {
	img, ok := g.now.Images[n.key]
	if !ok {
		img, ok = g.ns.Images[n.key]
	}
	if !ok { // what names it lives by the mere reference
		return g.back[n]
	}
	target := contentNode(img.Target.Digest)
	target.flat = n.flat
	if n.flat {
		return []node{target}
	}
	out := append(g.state.labelRefs(img.Labels), target)
	return append(out, g.back[n]...)
}

func (g *graph) contentRefs(n node) []node {
	if n.flat {
		return nil
	}
	d := digest.Digest(n.key)
	out := append([]node(nil), g.back[n]...)
	for _, ref := range g.state.labelRefs(g.ns.Content[d].Labels) {
		if ref.kind != "snapshot" || !g.cut[d] {
			out = append(out, ref)
		}
	}
	return out
}

// snapshotRefs follows the parent even where the snapshot is held flat.
func (g *graph) snapshotRefs(n node) []node {
	key := keyOf(n)
	info := g.ns.Snapshots[key]
	var out []node
	if info.Parent != "" {
		parent := snapshotNode(SnapshotKey{key.Snapshotter, info.Parent})
		parent.flat = n.flat
		out = append(out, parent)
	}
	if !n.flat {
		out = append(out, g.back[n]...)
		out = append(out, g.state.labelRefs(info.Labels)...)
	}
	return out
}
