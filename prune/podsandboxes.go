package prune

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/leases"
)

// PodSandbox is what CRI makes for a pod before its first container. A pod may
// have several, one that it uses and earlier ones that have ended.
type PodSandbox struct {
	ID string
	// Namespace, Name and UID are the pod's, as the kubelet gave them. The UID
	// of a static pod is the hash of its manifest.
	Namespace, Name, UID string
	CreatedAt            time.Time
	State                SandboxState
}

// SandboxState says what became of a sandbox.
type SandboxState string

// The states of a sandbox.
const (
	// SandboxRuns is one that CRI calls ready, or whose process runs.
	SandboxRuns SandboxState = "runs"
	// SandboxOver is one that has ended. It is there until the kubelet removes
	// it, which it does for a deleted pod within minutes.
	SandboxOver SandboxState = "over"
	// SandboxLeft is one that ended with the machine: nobody has ended its pod,
	// which comes back if it was not deleted meanwhile.
	SandboxLeft SandboxState = "left"
	// SandboxUnknown is one of which nobody can tell, as with containerd
	// stopped.
	SandboxUnknown SandboxState = "unknown"
)

// PodSandboxes tells of the sandboxes of pods as they are now, sorted by ID:
// those that CRI shows, and those that are only in containerd's records, as
// where CRI could not take one in. Where there is nobody to ask, their state is
// unknown. An error means that CRI cannot say yet, or that the store cannot be
// read.
func (a Asked) PodSandboxes(ctx context.Context) ([]PodSandbox, error) {
	if a.Name != criNamespace {
		return nil, nil
	}
	if a.sandboxes.store == nil {
		return sorted(recordedSandboxes(a.Containers, a.Sandboxes)), nil
	}
	return a.sandboxes.list(ctx)
}

// podReader asks a store for the sandboxes of pods.
type podReader struct {
	store  Store
	procfs leases.Procfs
}

// list reads the records first: one that is removed meanwhile is then not
// shown, and has no process.
func (r podReader) list(ctx context.Context) ([]PodSandbox, error) {
	found, err := r.recorded(inNamespace(ctx, criNamespace))
	if err != nil {
		return nil, err
	}
	cri := r.store.Abilities().CRI
	if cri == nil {
		return sorted(found), nil
	}
	return r.witnessed(ctx, cri, found)
}

func (r podReader) recorded(ctx context.Context) (map[string]PodSandbox, error) {
	list, err := r.store.Containers().List(ctx, fmt.Sprintf("labels.%q==%s", labelCRIKind, kindCRISandbox))
	if err != nil {
		return nil, fmt.Errorf("listing the sandboxes of pods: %w", err)
	}
	more, err := r.store.Sandboxes().List(ctx)
	if err != nil && !errdefs.IsNotImplemented(err) { // containerd before 1.7 has none
		return nil, fmt.Errorf("listing the sandboxes of pods: %w", err)
	}
	return recordedSandboxes(list, more), nil
}

// recordedSandboxes are those that containerd has records of. CRI makes two of
// them for a pod, or only the second where no container is one's sandbox.
func recordedSandboxes(list []containers.Container, more []sandbox.Sandbox) map[string]PodSandbox {
	found := make(map[string]PodSandbox)
	add := func(id string, labels map[string]string, created time.Time) {
		found[id] = PodSandbox{
			ID: id, Namespace: labels[labelPodNamespace], Name: labels[labelPodName], UID: labels[labelPodUID],
			CreatedAt: created, State: SandboxUnknown,
		}
	}
	for _, s := range more {
		add(s.ID, s.Labels, s.CreatedAt)
	}
	for _, c := range list {
		if isPodSandbox(c) {
			add(c.ID, c.Labels, c.CreatedAt)
		}
	}
	return found
}

// witnessed settles the states: what CRI calls ready runs, and so does what has
// a process, whatever CRI says of it or does not know of it yet.
func (r podReader) witnessed(ctx context.Context, cri CRI, found map[string]PodSandbox) ([]PodSandbox, error) {
	shown, err := cri.PodSandboxes(ctx)
	if err != nil && !errdefs.IsNotImplemented(err) {
		return nil, err
	}
	for _, s := range shown {
		if s.Ready {
			s.State = SandboxRuns
		}
		noted := found[s.ID]
		s.Namespace, s.Name, s.UID = cmp.Or(noted.Namespace, s.Namespace), cmp.Or(noted.Name, s.Name), cmp.Or(noted.UID, s.UID)
		found[s.ID] = s.PodSandbox
	}
	boot := r.procfs.BootTime()
	for id, s := range found {
		if s.State == SandboxRuns {
			continue
		}
		runs, err := cri.Runs(ctx, id)
		switch {
		case err != nil:
			return nil, err
		case runs:
			s.State = SandboxRuns
		case s.CreatedAt.Before(boot):
			s.State = SandboxLeft
		default:
			s.State = SandboxOver
		}
		found[id] = s
	}
	return sorted(found), nil
}

func sorted(found map[string]PodSandbox) []PodSandbox {
	return slices.SortedFunc(maps.Values(found), func(a, b PodSandbox) int { return cmp.Compare(a.ID, b.ID) })
}
