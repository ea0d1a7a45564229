package prune

import (
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Source reports which images one client uses. If it fails, nothing is removed
// from the namespaces it was asked about.
type Source = clients.Source

// Asked is the namespace that a [Source] is asked about, with the lists that
// have been read from it.
type Asked = clients.Asked

// Use says that a client uses an image. What Image and Digests name is
// protected. So is the image that Snapshot is based on, unless they name it:
// other images may have the same layers.
type Use = inventory.Use

// Holder is who uses an image.
type Holder = cause.Holder

// PodSandbox is what CRI creates for a pod before its first container. A pod
// may have several: the current one, and earlier ones that have ended.
type PodSandbox = store.PodSandbox

// SandboxState is the state of a sandbox.
type SandboxState = store.SandboxState

// The states of a sandbox.
const (
	SandboxRuns = store.SandboxRuns
	SandboxOver = store.SandboxOver
	SandboxLeft = store.SandboxLeft
	// SandboxUnknown is the state if it cannot be found out, for example while
	// containerd is stopped.
	SandboxUnknown = store.SandboxUnknown
)
