package run

import (
	"context"
	"errors"
	"fmt"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// removal is what became of a record that was to go.
type removal uint8

const (
	removed removal = iota
	moved
	// rewritten: somebody has written the record since, with the same target.
	rewritten
	vanished
	// taken: a collection took the record with the one that it lived by, which
	// the run had removed. No event tells of a deletion by the run.
	taken
	failed
	// unanswered: it is known neither whether it was deleted nor whether it is
	// there, because reading failed as well.
	unanswered
	// late: the run's lease is about to expire. It was not tried.
	late
	// unsure: the run was interrupted, and the answer did not come in time
	// either. What became of the record is seen when the store is measured.
	unsure
)

// cutShort says whether a request failed only because the run was told to end.
func cutShort(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded))
}

// removeOne deletes a record if it still has its target. Servers before 2.0
// ignore the condition, and in a transaction a failed one would leave its
// mark, so it is looked at first there. So it is if somebody has written it.
func (x *Execution) removeOne(ctx context.Context, d rules.Decision) (removal, error) {
	if x.late() {
		return late, nil
	}
	ctx, done := linger(ctx, answerTime)
	defer done()
	written := !x.Watch.Of(d.Key()).written.IsZero()
	if written || x.Store.Transactional() || !x.serverCompares() {
		result, err := x.compare(ctx, d)
		if cutShort(ctx, err) {
			return unsure, nil
		}
		if result != removed {
			return result, err
		}
	}
	target := d.Target
	err := x.Store.Images().Delete(ctx, d.Name, images.DeleteTarget(&target))
	if err == nil {
		return removed, nil
	}
	if cutShort(ctx, err) {
		return unsure, nil
	}
	// Neither an error nor NotFound tells whether the record is there.
	result, lookErr := x.compare(ctx, d)
	switch {
	case lookErr != nil:
		return unanswered, fmt.Errorf("%w; then %w", deleteError(d, err), lookErr)
	case result == removed: // still there with its target: the deletion failed
		return failed, deleteError(d, err)
	case result == vanished && gc.Expires(d.Image):
		return taken, nil
	case result == vanished && !errdefs.IsNotFound(err):
		return removed, nil
	default:
		return result, nil
	}
}

// late says whether what is left of the run's lease is needed for its end. It
// asks the clock before each deletion, because no timer runs while a machine sleeps.
func (x *Execution) late() bool {
	if x.opts.NoGuard {
		return false
	}
	end := min(x.opts.Finish, x.opts.LeaseTTL/4)
	return x.opts.Now().After(x.run.Expires.Add(-end))
}

func deleteError(d rules.Decision, err error) error {
	return fmt.Errorf("deleting image %q in namespace %q: %w", d.Name, d.Namespace, err)
}

func (x *Execution) serverCompares() bool {
	return gc.ParseVersion(x.plan.Inventory.Store.Version).AtLeast(gc.Release{Major: 2, Minor: 0})
}

// compare returns removed if the record may be deleted: it is there with the
// target of the plan. An error leaves it unanswered.
func (x *Execution) compare(ctx context.Context, d rules.Decision) (removal, error) {
	image, err := x.Store.Images().Get(ctx, d.Name)
	switch {
	case errdefs.IsNotFound(err):
		return vanished, nil
	case err != nil:
		return unanswered, fmt.Errorf("looking up image %q in namespace %q: %w", d.Name, d.Namespace, err)
	case image.Target.Digest != d.Target.Digest:
		return moved, nil
	case !image.UpdatedAt.Equal(d.Image.UpdatedAt) || !image.CreatedAt.Equal(d.Image.CreatedAt):
		return rewritten, nil
	default:
		return removed, nil
	}
}
