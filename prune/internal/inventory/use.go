package inventory

import (
	"fmt"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/strictjson"
)

// Use says that a client uses an image. What Image and Digests name is
// protected. So is the image that Snapshot is based on, unless they name it:
// other images may have the same layers.
type Use struct {
	Holder cause.Holder
	// Image is what the holder itself says it uses: a record's name, in any
	// spelling, a digest, or an image ID or the beginning of one.
	Image string
	// Digests are targets or configs that the holder is known to use.
	Digests []digest.Digest
	// Snapshot is the holder's own snapshot.
	Snapshot SnapshotKey
	// Told says that Image and Digests are the word of a client that was asked.
	// Where it does not fit the snapshot, whatever the snapshot is based on is
	// used, too, be it only the base of an image that is gone. A word that names
	// nothing says that there is no image.
	Told bool
	// Begun is a use that has not said yet by which of its names it knows the
	// image on whose chain its snapshot stands: they all count.
	Begun bool
	// Absent is no fault of a use: its image may come when it is needed.
	Absent bool
}

// The extensions and labels by which CRI and nerdctl tell of their containers.
const (
	ExtensionCRIContainer = "io.cri-containerd.container.metadata"
	extensionCRISandbox   = "io.cri-containerd.sandbox.metadata"
	LabelCRIKind          = "io.cri-containerd.kind"
	KindCRISandbox        = "sandbox"
	LabelPodName          = "io.kubernetes.pod.name"
	LabelPodNamespace     = "io.kubernetes.pod.namespace"
	LabelPodUID           = "io.kubernetes.pod.uid"
	LabelPodContainer     = "io.kubernetes.container.name"
	LabelNerdctlName      = "nerdctl/name"
	// LabelNerdctlDigest has the digest of the target that a container was
	// created from, in nerdctl's releases after 2.3.5. As in nerdctl, one that is
	// no digest counts as none.
	LabelNerdctlDigest = "nerdctl/image-digest"
)

// ContainerUse reads what one container record says of its image. An error
// means that the record says something which cannot be understood.
func ContainerUse(c containers.Container) (Use, error) {
	use := Use{
		Holder:   HolderOf(c),
		Image:    c.Image,
		Snapshot: SnapshotKey{c.Snapshotter, c.SnapshotKey},
	}
	if target := digest.Digest(c.Labels[LabelNerdctlDigest]); target.Validate() == nil {
		use.Digests = append(use.Digests, target)
	}
	ext, ok := c.Extensions[ExtensionCRIContainer]
	if !ok {
		return use, nil
	}
	digests, err := criDigests(ext)
	if err != nil {
		return Use{}, fmt.Errorf("the CRI metadata of container %q cannot be read: %w", c.ID, err)
	}
	use.Digests = append(use.Digests, digests...)
	return use, nil
}

// criMetadata is the part of CRI's container metadata that names the image.
// ImageRef is the config digest, ImageDigest (since 2.4) the target's.
type criMetadata struct {
	Version  string
	Metadata struct {
		ImageRef    string
		ImageDigest string
	}
}

func criDigests(ext typeurl.Any) ([]digest.Digest, error) {
	var m criMetadata
	if err := strictjson.Unmarshal(ext.GetValue(), &m); err != nil {
		return nil, err
	}
	if m.Version != "v1" {
		return nil, fmt.Errorf("its version is %q, but only \"v1\" is supported", m.Version)
	}
	ref := digest.Digest(m.Metadata.ImageRef)
	if err := ref.Validate(); err != nil {
		return nil, fmt.Errorf("its ImageRef %q is not a digest: %w", m.Metadata.ImageRef, err)
	}
	digests := []digest.Digest{ref}
	if target := digest.Digest(m.Metadata.ImageDigest); target.Validate() == nil {
		digests = append(digests, target)
	}
	return digests, nil
}

// HolderOf names a container as its client would.
func HolderOf(c containers.Container) cause.Holder {
	h := cause.Holder{Kind: "container", ID: c.ID}
	pod := PodName(c)
	switch {
	case IsPodSandbox(c):
		h.Kind, h.Name, h.Client = cause.KindPodSandbox, pod, "CRI"
	case pod != "":
		h.Kind, h.Name, h.Client = cause.KindPod, pod+", container "+c.Labels[LabelPodContainer], "CRI"
	case c.Labels[LabelCRIKind] != "":
		h.Client = "CRI"
	case c.Labels[LabelNerdctlName] != "":
		h.Name, h.Client = c.Labels[LabelNerdctlName], "nerdctl"
	}
	return h
}

// IsPodSandbox says whether a container record is that of a pod's sandbox.
func IsPodSandbox(c containers.Container) bool {
	_, noted := c.Extensions[extensionCRISandbox]
	return noted || c.Labels[LabelCRIKind] == KindCRISandbox
}

// PodName is "namespace/name" of the pod of a CRI container, "" of others.
func PodName(c containers.Container) string {
	if c.Labels[LabelPodName] == "" {
		return ""
	}
	return c.Labels[LabelPodNamespace] + "/" + c.Labels[LabelPodName]
}
