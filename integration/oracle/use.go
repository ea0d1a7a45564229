package oracle

import (
	"encoding/json"
	"strings"

	"github.com/containerd/containerd/v2/core/containers"
)

// CheckContainers finds containers that survived a prune but not whole: the
// image they ran from has no record any more, or not the name they were
// created from, or a snapshot below theirs is gone.
func CheckContainers(before, after *State) error {
	var found findings
	for name, ns := range before.Namespaces {
		now := after.Namespaces[name]
		if now == nil {
			now = &Namespace{}
		}
		known := before.identify(ns)
		for id, c := range ns.Containers {
			if _, ok := now.Containers[id]; !ok {
				continue
			}
			found.lostImage(name, c, known.uses(c), now)
			for _, key := range ancestry(ns, c) {
				if _, ok := now.Snapshots[key]; !ok {
					found.add("namespace %s: container %s lost snapshot %s", name, id, key)
				}
			}
		}
	}
	return found.err()
}

// use is what a container runs from: one of targets, by a name or not.
type use struct {
	name    string
	targets digests
}

func (f *findings) lostImage(ns string, c containers.Container, used []use, now *Namespace) {
	for _, u := range used {
		if u.name != "" {
			if rec, ok := now.Images[u.name]; !ok || !u.targets[rec.Target.Digest] {
				f.add("namespace %s: container %s lost its image's name %.100q", ns, c.ID, u.name)
			}
			continue
		}
		if !anyRecord(now, u.targets) {
			f.add("namespace %s: container %s runs from an image that has no record: %s", ns, c.ID, list(u.targets))
		}
	}
}

// ancestry lists the container's snapshot and those below it that exist.
func ancestry(n *Namespace, c containers.Container) []SnapshotKey {
	var out []SnapshotKey
	for key := c.SnapshotKey; key != ""; {
		k := SnapshotKey{c.Snapshotter, key}
		info, ok := n.Snapshots[k]
		if !ok {
			break
		}
		out = append(out, k)
		key = info.Parent
	}
	return out
}

// criImageRef reads the image ID from CRI's own metadata of a container.
func criImageRef(c containers.Container) string {
	ext, ok := c.Extensions["io.cri-containerd.container.metadata"]
	if !ok {
		return ""
	}
	var v struct{ Metadata struct{ ImageRef string } }
	if json.Unmarshal(ext.GetValue(), &v) != nil {
		return ""
	}
	return v.Metadata.ImageRef
}

func anyRecord(n *Namespace, targets digests) bool {
	for _, img := range n.Images {
		if targets[img.Target.Digest] {
			return true
		}
	}
	return false
}

func list(targets digests) string {
	var out []string
	for d := range targets {
		out = append(out, d.String())
	}
	return strings.Join(out, " or ")
}
