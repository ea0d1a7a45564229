package prune

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases"
)

func isActive(s Snapshot) bool { return s.Kind == snapshots.KindActive }

// incomplete finds the records whose content is not all there.
func (k *checker) incomplete(ns *Namespace) {
	for _, image := range ns.Images {
		if lack := k.lacks(ns, image.Target.Digest, make(map[digest.Digest]bool)); lack != "" {
			k.add(Finding{
				Problem: ProblemIncomplete, Namespace: ns.Name, Object: image.Name,
				Meaning: "no container can be made from it: " + lack,
				Mend:    fmt.Sprintf("ctr -n %s images pull %s", ns.Name, pullName(image)),
			})
		}
	}
}

func pullName(image images.Image) string {
	if strings.ContainsAny(image.Name, " <>") {
		return "REFERENCE"
	}
	return fmt.Sprintf("%q", image.Name)
}

// lacks says what a manifest or an index misses, going by containerd's labels
// (core/images, ChildGCLabels), "" if nothing. Of an index one complete
// platform is enough; layers may be missing if they are unpacked.
func (k *checker) lacks(ns *Namespace, dgst digest.Digest, seen map[digest.Digest]bool) string {
	blob, ok := ns.Blobs[dgst]
	if !ok {
		return fmt.Sprintf("%s is not in the store", dgst)
	}
	seen[dgst] = true
	children := make(map[string][]digest.Digest)
	for _, key := range gcKeys(blob.Labels) {
		child := digest.Digest(blob.Labels[key])
		for _, part := range []string{"config", "l", "m"} {
			prefix := "containerd.io/gc.ref.content." + part
			if (key == prefix || strings.HasPrefix(key, prefix+".")) && !seen[child] {
				children[part] = append(children[part], child)
			}
		}
	}
	if len(children["config"]) > 0 {
		return lacksOfManifest(ns, children)
	}
	first := ""
	for _, child := range children["m"] {
		lack := k.lacks(ns, child, seen)
		if lack == "" {
			return ""
		}
		if first == "" {
			first = "none of its platforms is complete; " + lack
		}
	}
	return first
}

func lacksOfManifest(ns *Namespace, children map[string][]digest.Digest) string {
	unpacked := false
	for _, config := range children["config"] {
		blob, ok := ns.Blobs[config]
		if !ok {
			return fmt.Sprintf("its config %s is not in the store", config)
		}
		for key, top := range leases.SnapshotLabels(blob.Labels) {
			snapshotter, _, _ := strings.Cut(strings.TrimPrefix(key, leases.SnapshotLabel), "/")
			_, there := ns.Snapshots[SnapshotKey{snapshotter, top}]
			unpacked = unpacked || there
		}
	}
	for _, layer := range children["l"] {
		if _, ok := ns.Blobs[layer]; !ok && !unpacked {
			return fmt.Sprintf("its layer %s is neither in the store nor unpacked", layer)
		}
	}
	return ""
}

// leases finds the leases that nobody honours any more.
func (k *checker) leases(ns *Namespace) {
	for _, lease := range ns.Leases {
		switch {
		case slices.Contains(ns.Interrupted, lease.ID):
			k.add(Finding{
				Problem: ProblemInterrupted, Namespace: ns.Name, Object: lease.ID, Repairable: true,
				Meaning: "a run of ctr-prune was killed; what it removed is still held",
				Mend:    "ctr-prune check --repair, or any later run in this namespace",
			})
		case !k.c.live(lease):
			k.add(Finding{
				Problem: ProblemExpired, Namespace: ns.Name, Object: lease.ID, Repairable: true,
				Meaning: "it has expired, but an idle containerd does not collect what it held",
				Mend:    "ctr-prune leases prune",
			})
		}
	}
}

// uploads finds the uploads that were given up.
func (k *checker) uploads(ns *Namespace) {
	for _, u := range k.c.uploads(ns, Policy{IngestAge: k.opts.UploadAge}) {
		if u.Action == Remove {
			k.add(Finding{
				Problem: ProblemOldUpload, Namespace: ns.Name, Object: u.Ref, Bytes: u.Bytes, Repairable: true,
				Meaning: u.Reason + ", and no lease holds it",
				Mend:    fmt.Sprintf("ctr-prune -n %s --ingests=%s", ns.Name, k.opts.UploadAge),
			})
		}
	}
}

// unreadable finds namespaces in which nothing can be removed.
func (k *checker) unreadable(ns *Namespace) {
	if ns.Closed != "" {
		k.add(Finding{
			Problem: ProblemUnreadable, Namespace: ns.Name, Object: "namespace " + ns.Name,
			Meaning: "nothing is removed here: " + ns.Closed,
			Mend:    "give what is missing; see ctr-prune --help",
		})
	}
}

// phantoms finds images that CRI shows although containerd has no record of
// them.
func (k *checker) phantoms(ctx context.Context, store Store, ns *Namespace) error {
	asker, ok := store.(interface{ cri() criImages })
	if !ok {
		return nil
	}
	shown, err := asker.cri().List(ctx)
	if errdefs.IsNotImplemented(err) {
		return nil // no CRI plugin runs
	}
	if err != nil {
		return fmt.Errorf("asking CRI for its images: %w", err)
	}
	catalog := newCatalog(ns, k.c.version)
	for _, image := range shown {
		if len(catalog.shownAs(image)) == 0 {
			k.add(Finding{
				Problem: ProblemPhantom, Namespace: ns.Name, Object: image.ID,
				Meaning: fmt.Sprintf("CRI shows it as %s, but containerd has no record of it: pods made from it fail", strings.Join(image.Refs, ", ")),
				Mend:    "restart containerd, or pull the image again",
			})
		}
	}
	return nil
}
