package docker

import (
	"maps"
	"slices"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/leases"
)

// CheckContainers fails the test unless every container that existed before
// can still be inspected, committed and started. Containers that were made
// from an image are left running, and their commits are removed.
func (e *Engine) CheckContainers(before map[string]container.Summary) {
	e.tb.Helper()
	ctx := e.tb.Context()
	now := e.Containers()
	for _, name := range slices.Sorted(maps.Keys(before)) {
		was := before[name]
		is, ok := now[name]
		if !ok || is.ImageID != was.ImageID || is.State != was.State {
			e.tb.Errorf("container %s was %s of %s and is %s of %s", name, was.State, was.ImageID, is.State, is.ImageID)
			continue
		}
		if _, err := e.API.ContainerInspect(ctx, was.ID, client.ContainerInspectOptions{}); err != nil {
			e.tb.Errorf("inspecting container %s: %v", name, err)
		}
		made, err := e.API.ContainerCommit(ctx, was.ID, client.ContainerCommitOptions{Reference: "commit-of/" + name})
		if err != nil {
			e.tb.Errorf("committing container %s: %v", name, err)
			continue
		}
		if _, err := e.API.ImageRemove(ctx, made.ID, client.ImageRemoveOptions{Force: true}); err != nil {
			e.tb.Errorf("removing the commit of container %s: %v", name, err)
		}
		if was.State == container.StatePaused {
			if _, err := e.API.ContainerUnpause(ctx, was.ID, client.ContainerUnpauseOptions{}); err != nil {
				e.tb.Errorf("unpausing container %s: %v", name, err)
			}
		}
		e.StopContainer(was.ID)
		e.StartContainer(was.ID)
	}
}

// CheckOwn fails the test unless each lease that Docker keeps for a container
// or a mount, and each snapshot it holds, is after as it was before.
func (e *Engine) CheckOwn(before, after *oracle.State) {
	e.tb.Helper()
	was, is := before.Namespaces[Namespace], after.Namespaces[Namespace]
	for id, lease := range was.Leases {
		if passing(lease) {
			continue
		}
		if _, ok := is.Leases[id]; !ok {
			e.tb.Errorf("lease %s is gone", id)
		}
		for _, r := range lease.Resources {
			key := oracle.SnapshotKey{Snapshotter: e.Snapshotter(), Key: r.ID}
			if _, had := was.Snapshots[key]; !had {
				continue
			}
			if _, ok := is.Snapshots[key]; !ok {
				e.tb.Errorf("snapshot %s of lease %s is gone", r.ID, id)
			}
		}
	}
}

// passing says whether a lease goes without anybody's doing: one with an
// expiry, a temporary one of BuildKit's, or what it mounts while it looks at a
// step's files, which it lets go of some time after the build.
func passing(lease oracle.Lease) bool {
	kind := leases.KindOf(lease.Lease)
	return kind == leases.KindPull || kind == leases.KindBuild || kind == leases.KindView
}
