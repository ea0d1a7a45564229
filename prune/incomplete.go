package prune

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
)

// incomplete finds the records whose content is not all there.
func (k *checker) incomplete(ns *Namespace) {
	l := lacker{ns: ns, known: make(map[digest.Digest]string)}
	w := k.c.walk()
	for _, image := range ns.Images {
		lack := l.lacks(image.Target.Digest)
		if lack == "" {
			continue
		}
		k.add(Finding{
			Problem: ProblemIncomplete, Namespace: ns.Name, Object: image.Name, Bytes: k.present(w, ns, image),
			Meaning: "no container can be made from it: " + lack,
			Mend:    fmt.Sprintf("ctr -n %s images pull %s", ns.Name, pullName(image)),
		})
	}
}

// present is what there is of an image, also what others share.
func (k *checker) present(w *walk, ns *Namespace, image images.Image) int64 {
	var sum Amount
	w.below(node{kind: kindImage, ns: ns.Name, key: image.Name}, func(_ nodeID, n node) {
		switch n.kind {
		case kindContent:
			if blob, ok := ns.Blobs[digest.Digest(n.key)]; ok {
				sum.addBlob(blob.Size)
			}
		case kindSnapshot:
			if snapshot, ok := ns.Snapshots[parseSnapshotKey(n.key)]; ok {
				sum.addSnapshot(snapshot.Bytes)
			}
		}
	})
	return sum.TotalBytes
}

// plainName is a name that means itself to a shell.
var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/:@-]*$`)

// pullName is what to type for the image: commands are copied into shells, so
// a name with anything odd in it is not part of one.
func pullName(image images.Image) string {
	if !plainName.MatchString(image.Name) {
		return "REFERENCE"
	}
	return image.Name
}

// lacker says what images lack, each manifest and index once.
type lacker struct {
	ns *Namespace
	// known are the answers so far; that of one being looked at stands for a
	// circle of labels.
	known map[digest.Digest]string
}

// lacks says what a manifest or an index misses, going by containerd's labels
// (core/images, ChildGCLabels), "" if nothing. Of an index one complete
// platform is enough; layers may be missing if they are unpacked.
func (l lacker) lacks(dgst digest.Digest) string {
	if lack, ok := l.known[dgst]; ok {
		return lack
	}
	l.known[dgst] = fmt.Sprintf("%s refers to itself", dgst)
	lack := l.look(dgst)
	l.known[dgst] = lack
	return lack
}

// noPlatform begins what an index lacks.
const noPlatform = "none of its platforms is complete; "

func (l lacker) look(dgst digest.Digest) string {
	blob, ok := l.ns.Blobs[dgst]
	if !ok {
		return fmt.Sprintf("%s is not in the store", dgst)
	}
	children := make(map[string][]digest.Digest)
	for _, key := range gcKeys(blob.Labels) {
		for _, part := range []string{"config", "l", "m"} {
			prefix := "containerd.io/gc.ref.content." + part
			if key == prefix || strings.HasPrefix(key, prefix+".") {
				children[part] = append(children[part], digest.Digest(blob.Labels[key]))
			}
		}
	}
	if len(children["config"]) > 0 {
		return l.ofManifest(children)
	}
	first := ""
	for _, child := range children["m"] {
		lack := l.lacks(child)
		if lack == "" {
			return ""
		}
		if first == "" {
			// Indexes of indexes say it once, however deep they go.
			first = noPlatform + strings.TrimPrefix(lack, noPlatform)
		}
	}
	return first
}

func (l lacker) ofManifest(children map[string][]digest.Digest) string {
	for _, config := range children["config"] {
		if _, ok := l.ns.Blobs[config]; !ok {
			return fmt.Sprintf("its config %s is not in the store", config)
		}
	}
	if slices.ContainsFunc(children["config"], l.unpacked) {
		return ""
	}
	for _, layer := range children["l"] {
		if _, ok := l.ns.Blobs[layer]; !ok {
			return fmt.Sprintf("its layer %s is neither in the store nor unpacked", layer)
		}
	}
	return ""
}

// unpacked says whether the snapshots of a config are there.
func (l lacker) unpacked(config digest.Digest) bool {
	for key, top := range leases.SnapshotLabels(l.ns.Blobs[config].Labels) {
		snapshotter, _, _ := strings.Cut(strings.TrimPrefix(key, leases.SnapshotLabel), "/")
		if _, there := l.ns.Snapshots[SnapshotKey{snapshotter, top}]; there {
			return true
		}
	}
	return false
}
