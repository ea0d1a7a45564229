package lock

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	ours "github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// LostPlan is the error of [Held] when all that can be read was read, but
// containerd knows plan blobs whose files are gone, as after a power failure:
// it syncs a blob's content and not its name.
type LostPlan struct{ Blobs []digest.Digest }

func (e *LostPlan) Error() string {
	return fmt.Sprintf("the files of the plan blobs %v are gone", e.Blobs)
}

// Held passes the documents that the run lease of the namespace of ctx holds
// to visit, one at a time and in no particular order, until visit fails. A
// lease taken by a run that was killed before it wrote its plan holds none.
// The error is a *[LostPlan] if that is all that went wrong.
func Held(ctx context.Context, manager leases.Manager, blobs content.Store, visit func(doc []byte) error) error {
	return visitPlans(ctx, manager, blobs, leases.Lease{ID: ours.RunID}, visit)
}

func visitPlans(ctx context.Context, manager leases.Manager, blobs content.Store, lease leases.Lease, visit func([]byte) error) error {
	resources, err := manager.ListResources(ctx, lease)
	if err != nil {
		return fmt.Errorf("listing what lease %q holds: %w", lease.ID, err)
	}
	var lost LostPlan
	var errs []error
	for _, resource := range resources {
		if resource.Type != "content" {
			continue
		}
		dgst := digest.Digest(resource.ID)
		doc, isPlan, err := readPlan(ctx, blobs, dgst)
		switch {
		case isPlan && errdefs.IsNotFound(err):
			lost.Blobs = append(lost.Blobs, dgst)
		case err != nil:
			errs = append(errs, err)
		case isPlan:
			if err := visit(doc); err != nil {
				return err
			}
		}
	}
	if len(errs) == 0 && len(lost.Blobs) > 0 {
		return &lost
	}
	return errors.Join(errs...)
}

// readPlan reads a blob that a lease holds, as long as the store says that it
// is. One that is gone, or is no plan, is passed over. If the error of a plan
// matches errdefs.ErrNotFound, containerd knows it but its file is gone.
func readPlan(ctx context.Context, blobs content.Store, dgst digest.Digest) (doc []byte, isPlan bool, err error) {
	info, err := blobs.Info(ctx, dgst)
	switch {
	case errdefs.IsNotFound(err) || err == nil && !IsPlan(info.Labels):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("looking up the plan blob %s: %w", dgst, err)
	case info.Size > MaxDoc:
		return nil, true, fmt.Errorf("the plan blob %s has %d bytes, more than the %d it may have", dgst, info.Size, MaxDoc)
	}
	if doc, err = store.ReadBlob(ctx, blobs, dgst, info.Size); err != nil {
		return nil, true, fmt.Errorf("reading the plan blob %s: %w", dgst, err)
	}
	return doc, true, nil
}

// IsPlan says by the labels of a blob whether it is a plan of a run.
func IsPlan(labels map[string]string) bool { return labels[labelPlan] != "" }
