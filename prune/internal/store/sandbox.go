package store

import (
	"time"
)

// PodSandbox is what CRI creates for a pod before its first container. A pod
// may have several: the current one, and earlier ones that have ended.
type PodSandbox struct {
	ID string
	// Namespace, Name and UID are the pod's, as the kubelet gave them. The UID
	// of a static pod is the hash of its manifest.
	Namespace, Name, UID string
	CreatedAt            time.Time
	State                SandboxState
}

// SandboxState is the state of a sandbox.
type SandboxState string

// SandboxRuns is one that CRI calls ready, or whose process runs.
const SandboxRuns SandboxState = "runs"

// SandboxOver is one that has ended. It is there until the kubelet removes
// it, which it does for a deleted pod within minutes.
const SandboxOver SandboxState = "over"

// SandboxLeft is one that ended with the machine: nobody has ended its pod,
// which comes back if it was not deleted meanwhile.
const SandboxLeft SandboxState = "left"

// The states of a sandbox.
const (
	// SandboxUnknown is the state if it cannot be found out, for example while
	// containerd is stopped.
	SandboxUnknown SandboxState = "unknown"
)
