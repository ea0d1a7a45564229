package prune

import (
	"fmt"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/typeurl/v2"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/leases/strictjson"
)

// Use is one claim of a client on an image. The fields are alternatives: each
// that is set claims what it names.
type Use struct {
	Holder Holder
	// Image is what the holder itself says it uses: a record's name, in any
	// spelling, a digest, or an image ID or the beginning of one.
	Image string
	// Digests are targets or configs that the holder is known to use.
	Digests []digest.Digest
	// Snapshot is the holder's own snapshot; the image whose chain it stands
	// on is in use.
	Snapshot SnapshotKey
	// Told says that Image and Digests are a client's word for the image of the
	// Snapshot. Where it fits the snapshot, no other image on the same layers is
	// used; where it does not, both are. A word that names nothing says that
	// there is no image.
	Told bool
	// Begun is a use that has not said yet by which of its names it knows the
	// image on whose chain its snapshot stands: they all count.
	Begun bool
	// Absent is no fault of a use: its image may come when it is needed.
	Absent bool
}

// Holder is who uses an image.
type Holder struct {
	// Kind is what the holder is: "container", "pod sandbox".
	Kind string `json:"kind"`
	ID   string `json:"id,omitempty"`
	// Name is what people call it; empty if only the ID does.
	Name string `json:"name,omitempty"`
	// Client is the program that made it, if known: "nerdctl", "CRI".
	Client string `json:"client,omitempty"`
	// State is what the client says it is doing: "running", "stopped". Empty
	// where the client does not say.
	State string `json:"state,omitempty"`
}

// The kinds of holder that are Kubernetes'.
const (
	kindPod        = "pod"
	kindPodSandbox = "pod sandbox"
)

func (h Holder) String() string {
	name := h.Name
	if name == "" {
		name = h.ID
	}
	text := h.Kind + " " + name
	if h.Client != "" && h.Kind != kindPod && h.Kind != kindPodSandbox { // a pod's client goes without saying
		text += " (" + h.Client + ")"
	}
	if h.State != "" {
		text += ", " + h.State
	}
	return text
}

const (
	criNamespace          = "k8s.io"
	extensionCRIContainer = "io.cri-containerd.container.metadata"
	extensionCRISandbox   = "io.cri-containerd.sandbox.metadata"
	labelCRIKind          = "io.cri-containerd.kind"
	kindCRISandbox        = "sandbox"
	labelPodName          = "io.kubernetes.pod.name"
	labelPodNamespace     = "io.kubernetes.pod.namespace"
	labelPodUID           = "io.kubernetes.pod.uid"
	labelPodContainer     = "io.kubernetes.container.name"
	labelNerdctlName      = "nerdctl/name"
)

// containerUse reads what one container record says of its image. An error
// means that the record says something which cannot be understood.
func containerUse(c containers.Container) (Use, error) {
	use := Use{
		Holder:   holderOf(c),
		Image:    c.Image,
		Snapshot: SnapshotKey{c.Snapshotter, c.SnapshotKey},
	}
	ext, ok := c.Extensions[extensionCRIContainer]
	if !ok {
		return use, nil
	}
	digests, err := criDigests(ext)
	if err != nil {
		return Use{}, fmt.Errorf("the CRI metadata of container %q cannot be read: %w", c.ID, err)
	}
	use.Digests = digests
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
		return nil, fmt.Errorf("its version is %q, only \"v1\" is known", m.Version)
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

func holderOf(c containers.Container) Holder {
	h := Holder{Kind: "container", ID: c.ID}
	pod := podName(c)
	switch {
	case isPodSandbox(c):
		h.Kind, h.Name, h.Client = kindPodSandbox, pod, "CRI"
	case pod != "":
		h.Kind, h.Name, h.Client = kindPod, pod+", container "+c.Labels[labelPodContainer], "CRI"
	case c.Labels[labelCRIKind] != "":
		h.Client = "CRI"
	case c.Labels[labelNerdctlName] != "":
		h.Name, h.Client = c.Labels[labelNerdctlName], "nerdctl"
	}
	return h
}

func isPodSandbox(c containers.Container) bool {
	_, noted := c.Extensions[extensionCRISandbox]
	return noted || c.Labels[labelCRIKind] == kindCRISandbox
}
