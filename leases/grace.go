package leases

import (
	"context"
	"fmt"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
)

// gracePrefix and the name of a run make the ID of the lease that keeps what
// the run removed until its grace is over.
const gracePrefix = "ctr-prune-grace-"

// GraceRun returns the run whose grace a lease is.
func GraceRun(lease leases.Lease) (Run, bool) {
	name, ok := strings.CutPrefix(lease.ID, gracePrefix)
	run, labelled := ParseRun(lease)
	return run, ok && labelled && run.Name == name
}

// Keep makes the grace lease of a run in the namespace of ctx. It holds what
// the run lease holds, and the given resources, until run.Expires.
func (l Locker) Keep(ctx context.Context, run Run, resources []leases.Resource) error {
	lease, err := l.Manager.Create(ctx, leases.WithID(gracePrefix+run.Name), leases.WithLabels(run.labels()))
	if err != nil {
		return fmt.Errorf("creating the grace lease of run %s: %w", run.Name, err)
	}
	held, err := l.Manager.ListResources(ctx, leases.Lease{ID: RunID})
	if err != nil {
		return fmt.Errorf("listing what the run lease holds: %w", err)
	}
	for _, resource := range append(held, resources...) {
		if err := l.Manager.AddResource(ctx, lease, resource); err != nil {
			return fmt.Errorf("adding %s %s to the grace lease of run %s: %w", resource.Type, resource.ID, run.Name, err)
		}
	}
	return nil
}

// Kept passes the documents that the grace lease of a run holds to visit, as
// [Held] does.
func Kept(ctx context.Context, manager leases.Manager, store content.Store, run string, visit func(doc []byte) error) error {
	return visitPlans(ctx, manager, store, leases.Lease{ID: gracePrefix + run}, visit)
}

// DropGrace deletes the grace lease of a run. With collect it returns after
// containerd has collected what the lease held. A lease of that ID that is not
// the run's is left alone.
func (l Locker) DropGrace(ctx context.Context, run string, collect bool) error {
	if err := l.deleteOf(ctx, gracePrefix+run, run, collect); ignoreGone(err) != nil {
		return fmt.Errorf("deleting the grace lease of run %s: %w", run, err)
	}
	return nil
}
