package clients

import (
	"cmp"
	"path"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// AddVolumes adds what pods use as image volumes. There is no container for
// one: CRI (containerd 2.1 and later) makes an active snapshot over the
// image's chain and holds it with a lease that has the sandbox's ID. The key
// is the mount's path, <state>/image-volumes/<sandbox>/<hex of the target>
// (internal/cri/server, getImageVolumeHostPath).
func AddVolumes(ns *inventory.Namespace) {
	if ns.Name != store.CRINamespace {
		return
	}
	pods := podNames(ns)
	for _, lease := range ns.Leases {
		for _, resource := range lease.Resources {
			snapshotter, ok := strings.CutPrefix(resource.Type, "snapshots/")
			if !ok {
				continue
			}
			dir, target := path.Split(resource.ID)
			if !strings.HasSuffix(dir, "/"+lease.ID+"/") {
				continue // a layer, which the unpacking for a volume leases too
			}
			use := inventory.Use{Holder: volumeHolder(pods, lease.ID), Snapshot: inventory.SnapshotKey{Snapshotter: snapshotter, Key: resource.ID}}
			if dgst := digest.NewDigestFromEncoded(digest.SHA256, target); dgst.Validate() == nil {
				use.Digests = []digest.Digest{dgst}
			}
			ns.Uses = append(ns.Uses, use)
		}
	}
}

// podNames are the names of pods, by the IDs of their containers and sandboxes.
func podNames(ns *inventory.Namespace) map[string]string {
	names := make(map[string]string, len(ns.Containers))
	for _, c := range ns.Containers {
		if name := inventory.PodName(c); name != "" {
			names[c.ID] = name
		}
	}
	return names
}

// volumeHolder names the pod whose sandbox has the ID.
func volumeHolder(pods map[string]string, sandbox string) cause.Holder {
	return cause.Holder{Kind: cause.KindPod, ID: sandbox, Name: cmp.Or(pods[sandbox], sandbox) + ", image volume", Client: "CRI"}
}
