package prune

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/leases"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// grant makes the grace lease of a batch, before anything is deleted. It
// holds the plan blob, and with it all targets, and the snapshots that step 5
// takes from the configs of orphans.
func (x *execution) grant(ctx context.Context, b batch) error {
	if x.opts.Grace <= 0 || len(b.records) == 0 {
		return nil
	}
	run := x.run
	run.Expires = x.report.Grace.Until
	var tops []leases.Resource
	for _, o := range x.plan.outcome.orphans {
		if o.Namespace == b.ns.Name {
			tops = append(tops, o.snapshots()...)
		}
	}
	return x.locker.Keep(inNamespace(ctx, b.ns.Name), run, tops)
}

// snapshots returns the topmost snapshots of an orphan as resources of a lease.
func (o orphan) snapshots() []leases.Resource {
	var tops []leases.Resource
	for key, value := range o.Labels {
		snapshotter, _, _ := strings.Cut(strings.TrimPrefix(key, ours.SnapshotLabel), "/")
		if snapshotter == "" {
			continue // a label that means nothing, and no lease takes its snapshot
		}
		tops = append(tops, leases.Resource{Type: "snapshots/" + snapshotter, ID: value})
	}
	slices.SortFunc(tops, func(a, b leases.Resource) int { return strings.Compare(a.Type, b.Type) })
	return tops
}

// dropEmptyGraces deletes the grace leases of namespaces from which nothing
// was removed after all.
func (x *execution) dropEmptyGraces(ctx context.Context) error {
	if x.opts.Grace <= 0 {
		return nil
	}
	var errs []error
	for _, name := range x.locked {
		if len(x.attempted[name]) == 0 {
			_, err := x.locker.DropGrace(inNamespace(ctx, name), x.run.Name, false)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
