package prune

import (
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/clients"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Source tells the claims of one client on images.
type Source = clients.Source

// Asked is what a [Source] is asked about: a namespace whose lists have been
// read.
type Asked = clients.Asked

// Use is one claim of a client on an image. The fields are alternatives: each
// that is set claims what it names.
type Use = inventory.Use

// Holder is who uses an image.
type Holder = cause.Holder

// PodSandbox is what CRI makes for a pod before its first container. A pod may
// have several, one that it uses and earlier ones that have ended.
type PodSandbox = store.PodSandbox

// SandboxState says what became of a sandbox.
type SandboxState = store.SandboxState

// The states of a sandbox.
const (
	SandboxRuns = store.SandboxRuns
	SandboxOver = store.SandboxOver
	SandboxLeft = store.SandboxLeft
	// SandboxUnknown is one of which nobody can tell, as with containerd
	// stopped.
	SandboxUnknown = store.SandboxUnknown
)
