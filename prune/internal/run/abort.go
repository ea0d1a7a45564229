package run

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// abort aborts the abandoned uploads of the run's namespaces, if they have not
// changed since the plan.
func (x *Execution) abort(ctx context.Context) {
	for _, upload := range x.plan.Uploads {
		if upload.Action != rules.Remove {
			continue
		}
		if ctx.Err() != nil {
			x.unaborted++
			continue
		}
		if err := x.abortOne(store.InNamespace(ctx, upload.Namespace), upload); err != nil && !x.lost(ctx, err) {
			x.fail(cause.CodeNotAborted, fmt.Errorf("aborting upload %q in namespace %q: %w", upload.Ref, upload.Namespace, err))
		}
	}
}

func (x *Execution) abortOne(ctx context.Context, upload plan.Upload) error {
	status, err := x.Store.Content().Status(ctx, upload.Ref)
	if err != nil {
		return IgnoreNotFound(err)
	}
	if status.Offset != upload.Bytes || !gc.LastWritten(status).Equal(upload.UpdatedAt) {
		return errors.New("it has been written to since the plan was made, so it was not aborted")
	}
	return IgnoreNotFound(x.Store.Content().Abort(ctx, upload.Ref))
}

// aborted lists the planned uploads that the store no longer has.
func (x *Execution) aborted(after *inventory.Inventory) []plan.Upload {
	present := make(map[[2]string]bool)
	for _, ns := range after.Namespaces {
		for _, ingest := range ns.Ingests {
			present[[2]string{ns.Name, ingest.Ref}] = true
		}
	}
	gone := slices.DeleteFunc(slices.Clone(x.plan.Uploads), func(u plan.Upload) bool {
		return u.Action != rules.Remove || present[[2]string{u.Namespace, u.Ref}]
	})
	slices.SortFunc(gone, func(a, b plan.Upload) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Ref, b.Ref))
	})
	return gone
}
