package cause

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
	return text
}

// The kinds of holder that are Kubernetes'.
const (
	KindPod        = "pod"
	KindPodSandbox = "pod sandbox"
)
