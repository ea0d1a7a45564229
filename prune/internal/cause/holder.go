package cause

import "fmt"

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
	// Lease is the ID of the lease, and Label the label, by which the holder is
	// kept if it is a snapshot, or keeps a snapshot if it is not.
	Lease string `json:"lease,omitempty"`
	Label string `json:"label,omitempty"`
}

func (h Holder) String() string {
	name := h.Name
	if name == "" {
		name = h.ID
	}
	text := h.Kind + " " + name
	if h.Client != "" && h.Kind != KindPod && h.Kind != KindPodSandbox { // a pod's client goes without saying
		text += " (" + h.Client + ")"
	}
	if h.State != "" {
		text += ", " + h.State
	}
	return text + h.rooted()
}

// rooted says what holds a snapshot, or by what something holds one.
func (h Holder) rooted() string {
	switch {
	case h.Lease != "":
		return fmt.Sprintf(", held by lease %q", h.Lease)
	case h.Label != "" && h.IsSnapshot():
		return ", kept by its label " + h.Label
	case h.Label != "":
		return ", by its label " + h.Label
	default:
		return ""
	}
}

// IsSnapshot says whether the holder is a snapshot that is mounted somewhere,
// and nobody says by whom.
func (h Holder) IsSnapshot() bool { return h.Kind == KindView || h.Kind == KindWritable }

// The kinds of holder that are Kubernetes', and those that are snapshots.
const (
	KindPod        = "pod"
	KindPodSandbox = "pod sandbox"
	KindView       = "view"
	KindWritable   = "writable snapshot"
)
