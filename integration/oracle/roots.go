package oracle

import (
	"strings"
	"time"
)

// roots lists what a namespace holds for its own sake.
func (s *State) roots(n *Namespace) []node {
	var out []node
	for name, img := range n.Images {
		if s.major() < 2 || !expired(img.Labels, s.At) {
			out = append(out, imageNode(name))
		}
	}
	for id, c := range n.Containers {
		out = append(out, node{kind: "container", key: id})
		out = append(out, s.labelRefs(c.Labels)...)
		if c.SnapshotKey != "" {
			out = append(out, snapshotNode(SnapshotKey{c.Snapshotter, c.SnapshotKey}))
		}
	}
	for _, labels := range n.Sandboxes {
		out = append(out, s.labelRefs(labels)...)
	}
	for d, info := range n.Content {
		if rooted(info.Labels) {
			out = append(out, contentNode(d))
		}
	}
	for k, info := range n.Snapshots {
		if rooted(info.Labels) {
			out = append(out, snapshotNode(k))
		}
	}
	for _, l := range n.Leases {
		out = append(out, leased(l)...)
	}
	return append(out, n.uploads()...)
}

// uploads lists the ingests that hold themselves: those no lease took in, for
// a day after their start.
func (n *Namespace) uploads() []node {
	held := map[node]bool{}
	for _, l := range n.Leases {
		l.Expired = false
		for _, r := range leased(l) {
			held[node{kind: r.kind, key: r.key}] = true
		}
	}
	var out []node
	for ref, status := range n.Ingests {
		if !held[ingestNode(ref)] && time.Since(status.StartedAt) < 24*time.Hour {
			out = append(out, ingestNode(ref))
		}
	}
	return out
}

func rooted(labels map[string]string) bool {
	for k := range labels {
		if strings.HasPrefix(k, gcRoot) {
			return true
		}
	}
	return false
}

func leased(l Lease) []node {
	if l.Expired {
		return nil
	}
	_, flat := l.Labels[gcFlat]
	var out []node
	for _, r := range l.Resources {
		n := node{key: r.ID, flat: flat}
		switch {
		case r.Type == "content":
			n.kind = "content"
		case r.Type == "ingests":
			n.kind = "ingest"
		case r.Type == "images":
			n.kind = "image"
		case strings.HasPrefix(r.Type, "snapshots/"):
			n.kind, n.key = "snapshot", strings.TrimPrefix(r.Type, "snapshots/")+"/"+r.ID
		default:
			continue
		}
		out = append(out, n)
	}
	return out
}
