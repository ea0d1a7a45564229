package clients

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

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// PodSandboxes tells of the sandboxes of pods as they are now, sorted by ID:
// those that CRI shows, and those that are only in containerd's records, as
// where CRI could not take one in. Where there is nobody to ask, their state is
// unknown. An error means that CRI cannot say yet, or that the store cannot be
// read.
func (a Asked) PodSandboxes(ctx context.Context) ([]store.PodSandbox, error) {
	if a.Name != store.CRINamespace {
		return nil, nil
	}
	if a.Pods.Store == nil {
		return sorted(recordedSandboxes(a.Containers, a.Sandboxes)), nil
	}
	return a.Pods.list(ctx)
}

// PodReader asks a store for the sandboxes of pods.
type PodReader struct {
	Store  store.Store
	Procfs proc.Procfs
}

// list reads the records first: one that is removed meanwhile is then not
// shown, and has no process.
func (r PodReader) list(ctx context.Context) ([]store.PodSandbox, error) {
	found, err := r.recorded(store.InNamespace(ctx, store.CRINamespace))
	if err != nil {
		return nil, err
	}
	cri := r.Store.Abilities().CRI
	if cri == nil {
		return sorted(found), nil
	}
	return r.witnessed(ctx, cri, found)
}

func (r PodReader) recorded(ctx context.Context) (map[string]store.PodSandbox, error) {
	sandboxes := fmt.Sprintf("labels.%q==%s", inventory.LabelCRIKind, inventory.KindCRISandbox)
	list, err := store.InParts(ctx, store.ByID, func(ctx context.Context, parts ...string) ([]containers.Container, error) {
		filters := []string{sandboxes}
		if len(parts) > 0 {
			filters = parts
		}
		for i, part := range parts {
			filters[i] = sandboxes + "," + part
		}
		return r.Store.Containers().List(ctx, filters...)
	})
	if err != nil {
		return nil, fmt.Errorf("listing the sandboxes of pods: %w", err)
	}
	more, err := store.InParts(ctx, store.ByID, r.Store.Sandboxes().List)
	if err != nil && !errdefs.IsNotImplemented(err) { // containerd before 1.7 has none
		return nil, fmt.Errorf("listing the sandboxes of pods: %w", err)
	}
	return recordedSandboxes(list, more), nil
}

// recordedSandboxes are those that containerd has records of. CRI makes two of
// them for a pod, or only the second where no container is one's sandbox.
func recordedSandboxes(list []containers.Container, more []sandbox.Sandbox) map[string]store.PodSandbox {
	found := make(map[string]store.PodSandbox)
	add := func(id string, labels map[string]string, created time.Time) {
		found[id] = store.PodSandbox{
			ID: id, Namespace: labels[inventory.LabelPodNamespace], Name: labels[inventory.LabelPodName], UID: labels[inventory.LabelPodUID],
			CreatedAt: created, State: store.SandboxUnknown,
		}
	}
	for _, s := range more {
		add(s.ID, s.Labels, s.CreatedAt)
	}
	for _, c := range list {
		if inventory.IsPodSandbox(c) {
			add(c.ID, c.Labels, c.CreatedAt)
		}
	}
	return found
}

// witnessed settles the states: what CRI calls ready runs, and so does what has
// a process, whatever CRI says of it or does not know of it yet.
func (r PodReader) witnessed(ctx context.Context, cri store.CRI, found map[string]store.PodSandbox) ([]store.PodSandbox, error) {
	shown, err := cri.PodSandboxes(ctx)
	if err != nil && !errdefs.IsNotImplemented(err) {
		return nil, err
	}
	for _, s := range shown {
		if s.Ready {
			s.State = store.SandboxRuns
		}
		noted := found[s.ID]
		s.Namespace, s.Name, s.UID = cmp.Or(noted.Namespace, s.Namespace), cmp.Or(noted.Name, s.Name), cmp.Or(noted.UID, s.UID)
		found[s.ID] = s.PodSandbox
	}
	boot := r.Procfs.BootTime()
	for id, s := range found {
		if s.State == store.SandboxRuns {
			continue
		}
		runs, err := cri.Runs(ctx, id)
		switch {
		case err != nil:
			return nil, err
		case runs:
			s.State = store.SandboxRuns
		case s.CreatedAt.Before(boot):
			s.State = store.SandboxLeft
		default:
			s.State = store.SandboxOver
		}
		found[id] = s
	}
	return sorted(found), nil
}

func sorted(found map[string]store.PodSandbox) []store.PodSandbox {
	return slices.SortedFunc(maps.Values(found), func(a, b store.PodSandbox) int { return cmp.Compare(a.ID, b.ID) })
}
