package oracle

import (
	"strings"

	"github.com/opencontainers/go-digest"
)

// Label prefixes by which containerd's collector finds what an object holds.
const (
	refContent  = "containerd.io/gc.ref.content"
	refSnapshot = "containerd.io/gc.ref.snapshot."
	refImage    = "containerd.io/gc.ref.image"
	gcRoot      = "containerd.io/gc.root"
	gcFlat      = "containerd.io/gc.flat"
)

// node is an object of one namespace. A flat one is held without what its
// labels refer to.
type node struct {
	kind string // "content", "snapshot", "image" or "ingest"
	key  string
	flat bool
}

func contentNode(d digest.Digest) node { return node{kind: "content", key: d.String()} }
func snapshotNode(k SnapshotKey) node  { return node{kind: "snapshot", key: k.String()} }
func imageNode(name string) node       { return node{kind: "image", key: name} }
func ingestNode(ref string) node       { return node{kind: "ingest", key: ref} }

// snapshotterOf returns the snapshotter that a label refers to.
func snapshotterOf(label string) (string, bool) {
	name, ok := strings.CutPrefix(label, refSnapshot)
	name, _, _ = strings.Cut(name, "/")
	return name, ok
}

// labelRefs lists what an object's labels hold.
func (s *State) labelRefs(labels map[string]string) []node {
	var out []node
	for k, v := range labels {
		if snapshotter, ok := snapshotterOf(k); ok {
			out = append(out, snapshotNode(SnapshotKey{snapshotter, v}))
		} else if names(k, refContent) {
			out = append(out, node{kind: "content", key: v})
		} else if names(k, refImage) && s.major() >= 2 {
			out = append(out, imageNode(v))
		}
	}
	return out
}

// names says whether a label is the prefix itself or the prefix and a name.
func names(label, prefix string) bool {
	rest, ok := strings.CutPrefix(label, prefix)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '/')
}

// major is the daemon's major version; an embedded store is as new as the
// client that opened it.
func (s *State) major() int {
	if strings.HasPrefix(s.Version, "1.") {
		return 1
	}
	return 2
}

func keyOf(n node) SnapshotKey {
	snapshotter, key, _ := strings.Cut(n.key, "/")
	return SnapshotKey{snapshotter, key}
}

func (n *Namespace) has(o node) bool {
	var ok bool
	switch o.kind {
	case "content":
		_, ok = n.Content[digest.Digest(o.key)]
	case "snapshot":
		_, ok = n.Snapshots[keyOf(o)]
	case "image":
		_, ok = n.Images[o.key]
	case "ingest":
		_, ok = n.Ingests[o.key]
	}
	return ok
}
