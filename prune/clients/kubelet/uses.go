package kubelet

import (
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune"
)

// usesOf returns the uses of all pods, including those that have ended: the
// kubelet lists them as long as their containers exist.
func usesOf(pods []pod) (uses []prune.Use) {
	for _, p := range pods {
		uses = append(uses, p.uses()...)
	}
	return uses
}

func (p pod) containers() []container {
	return slices.Concat(p.Spec.InitContainers, p.Spec.Containers, p.Spec.EphemeralContainers)
}

func (p pod) statuses() []status {
	return slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses, p.Status.EphemeralContainerStatuses)
}

// uses are the images that the specification names and, if the kubelet reports
// another image, that one too.
func (p pod) uses() []prune.Use {
	statuses := p.statuses()
	var uses []prune.Use
	for _, c := range p.containers() {
		use := prune.Use{Holder: p.holder("container " + c.Name), Image: c.Image}
		for _, st := range statuses {
			if st.Name != c.Name {
				continue
			}
			if st.State.Waiting != nil && use.Holder.State == "" {
				use.Holder.State = "waiting"
			}
			use.Digests = append(use.Digests, imageID(st.ImageID)...)
			if st.Image != "" && st.Image != c.Image {
				uses = append(uses, prune.Use{Holder: use.Holder, Image: st.Image, Digests: use.Digests})
			}
		}
		uses = append(uses, use)
	}
	for _, v := range p.Spec.Volumes {
		if v.Image != nil {
			uses = append(uses, prune.Use{Holder: p.holder("image volume"), Image: v.Image.Reference})
		}
	}
	return uses
}

// holder names a part of the pod in the same way as where CRI knows it.
func (p pod) holder(part string) prune.Holder {
	h := prune.Holder{Kind: "pod", ID: p.name(), Name: p.name() + ", " + part, Client: "kubelet"}
	if p.Status.Phase == "Pending" {
		h.State = "pending"
	}
	return h
}

// imageID returns the digest in an image ID as the kubelet writes it: bare,
// after a repository, or after a scheme such as docker-pullable://.
func imageID(text string) []digest.Digest {
	text = text[strings.LastIndexAny(text, "@/")+1:]
	if dgst := digest.Digest(text); dgst.Validate() == nil {
		return []digest.Digest{dgst}
	}
	return nil
}
