package oracle

import (
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// CheckComplete finds records that survived but lost something that they had:
// a blob that their manifests list, in the metadata or on disk, or a snapshot
// of their layers.
//
// A blob whose parent has labels, but none for it, is exempt, and so is a
// snapshot whose config was not labelled by an unpack: it was there by the
// grace of another image, and no collector would have kept it.
func CheckComplete(before, after *State) error {
	var found findings
	for name, ns := range before.Namespaces {
		now := after.Namespaces[name]
		if now == nil {
			if len(ns.Images) > 0 {
				found.add("namespace %s: gone with %d images", name, len(ns.Images))
			}
			continue
		}
		for _, img := range ns.Images {
			left, ok := now.Images[img.Name]
			if !ok || left.Target.Digest != img.Target.Digest {
				continue
			}
			have := before.present(ns, img.Target.Digest)
			found.lostBlobs(name, img.Name, have, now, after)
			found.lostSnapshots(name, img.Name, before.unpacked(ns, have), now)
		}
	}
	return found.err()
}

func (f *findings) lostBlobs(ns, image string, had []digest.Digest, now *Namespace, after *State) {
	for _, d := range had {
		info, ok := now.Content[d]
		size, onDisk := after.Files[d]
		switch {
		case !ok:
			f.add("namespace %s: image %.100q lost blob %s", ns, image, d)
		case !onDisk:
			f.add("namespace %s: image %.100q: the file of blob %s is gone", ns, image, d)
		case info.Size != size:
			f.add("namespace %s: image %.100q: blob %s is %d bytes on disk, not %d", ns, image, d, size, info.Size)
		}
	}
}

func (f *findings) lostSnapshots(ns, image string, had []SnapshotKey, now *Namespace) {
	for _, k := range had {
		if _, ok := now.Snapshots[k]; !ok {
			f.add("namespace %s: image %.100q lost snapshot %s", ns, image, k)
		}
	}
}

// present lists the blobs in the namespace that JSON reaches from a target.
func (s *State) present(n *Namespace, target digest.Digest) []digest.Digest {
	seen := map[digest.Digest]bool{}
	todo := []digest.Digest{target}
	for len(todo) > 0 {
		d := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		info, ok := n.Content[d]
		if !ok || seen[d] {
			continue
		}
		seen[d] = true
		for _, child := range s.Documents[d].Children {
			if labelled(info.Labels, child) {
				todo = append(todo, child)
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// labelled says whether labels bind the child, or bind nothing at all.
func labelled(labels map[string]string, child digest.Digest) bool {
	any := false
	for k, v := range labels {
		if strings.HasPrefix(k, refContent) {
			any = true
			if v == child.String() {
				return true
			}
		}
	}
	return !any
}

// unpacked lists the snapshots that belong to the configs among blobs.
func (s *State) unpacked(n *Namespace, blobs []digest.Digest) []SnapshotKey {
	var out []SnapshotKey
	for _, d := range blobs {
		for label := range n.Content[d].Labels {
			snapshotter, ok := snapshotterOf(label)
			if !ok {
				continue
			}
			for _, id := range s.Documents[d].Chain {
				key := SnapshotKey{snapshotter, id}
				if _, ok := n.Snapshots[key]; ok {
					out = append(out, key)
				}
			}
		}
	}
	return out
}
