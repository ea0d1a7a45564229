package run

import (
	"context"
	"errors"

	"github.com/containerd/containerd/v2/core/leases"

	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// grant makes the grace lease of a batch, before anything is deleted. It
// holds the plan blob, and with it all targets, and the snapshots that step 5
// takes from the configs of orphans.
func (x *Execution) grant(ctx context.Context, b plan.Batch) error {
	if x.opts.Grace <= 0 || len(b.Records) == 0 {
		return nil
	}
	run := x.run
	run.Expires = x.Report.Grace.Until
	var tops []leases.Resource
	for _, o := range x.plan.Outcome.Orphans {
		if o.Namespace == b.Ns.Name {
			tops = append(tops, o.Snapshots()...)
		}
	}
	return x.locker.Keep(store.InNamespace(ctx, b.Ns.Name), run, tops)
}

// dropEmptyGraces deletes the grace leases of namespaces from which nothing
// was removed after all.
func (x *Execution) dropEmptyGraces(ctx context.Context) error {
	if x.opts.Grace <= 0 {
		return nil
	}
	var errs []error
	for _, name := range x.locked {
		if len(x.attempted[name]) == 0 {
			_, err := x.locker.DropGrace(store.InNamespace(ctx, name), x.run.Name, false)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
