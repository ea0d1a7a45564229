package prune

import (
	"path"
	"strings"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/opencontainers/go-digest"
)

// addVolumes adds what pods use as image volumes. There is no container for
// one: CRI (containerd 2.1 and later) makes an active snapshot over the
// image's chain and holds it with a lease that has the sandbox's ID. The key
// is the mount's path, <state>/image-volumes/<sandbox>/<hex of the target>
// (internal/cri/server, getImageVolumeHostPath).
func (ns *Namespace) addVolumes() {
	if ns.Name != criNamespace {
		return
	}
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
			use := Use{Holder: ns.volumeHolder(lease.ID), Snapshot: SnapshotKey{snapshotter, resource.ID}}
			if dgst := digest.NewDigestFromEncoded(digest.SHA256, target); dgst.Validate() == nil {
				use.Digests = []digest.Digest{dgst}
			}
			ns.Uses = append(ns.Uses, use)
		}
	}
}

// volumeHolder names the pod whose sandbox has the ID, as its container does.
func (ns *Namespace) volumeHolder(sandbox string) Holder {
	h := Holder{Kind: kindPod, ID: sandbox, Name: sandbox, Client: "CRI"}
	for _, c := range ns.Containers {
		if name := podName(c); c.ID == sandbox && name != "" {
			h.Name = name
		}
	}
	h.Name += ", image volume"
	return h
}

// podName is "namespace/name" of the pod of a CRI container, "" of others.
func podName(c containers.Container) string {
	if c.Labels[labelPodName] == "" {
		return ""
	}
	return c.Labels[labelPodNamespace] + "/" + c.Labels[labelPodName]
}
