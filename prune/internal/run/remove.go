package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

const (
	// Deleters is how many records are deleted at once. Each deletion is a
	// transaction of its own in the server, and these queue up.
	Deleters = 4
	// transactionSize bounds how many records of an embedded store are
	// deleted in one transaction.
	transactionSize = 1000
)

// delete does what a plan is for, until ctx ends, the server is gone, or it
// does not tell any more what others write.
func (x *Execution) delete(ctx context.Context) {
	ctx, x.stop = context.WithCancel(ctx)
	defer x.stop()
	defer x.Watch.guard(x.stop)()
	x.remove(ctx)
	x.abort(ctx)
}

// remove makes the stand-ins and deletes the records of all batches, until
// ctx ends. Errors of single records do not stop the others.
func (x *Execution) remove(ctx context.Context) {
	progress := read.NewMeter(x.opts.Progress, read.StageDelete)
	progress.Total = x.planned()
	for _, b := range x.Batches {
		ctx := store.InNamespace(ctx, b.Ns.Name)
		records := slices.DeleteFunc(slices.Clone(b.Records), func(d rules.Decision) bool { return !x.standIn(ctx, d) })
		records = x.exorcise(ctx, b, records)
		if x.Store.Transactional() {
			x.removeBatched(ctx, records, progress)
		} else {
			x.removeEach(ctx, records, progress)
		}
	}
}

// standIn makes the record that takes another's place. It says whether the
// other may go.
func (x *Execution) standIn(ctx context.Context, d rules.Decision) bool {
	if d.Action != rules.StandIn || ctx.Err() != nil {
		return true
	}
	ctx, done := linger(ctx, answerTime)
	defer done()
	_, err := x.Store.Images().Create(ctx, d.StandInRecord())
	if errdefs.IsAlreadyExists(err) {
		err = x.standsIn(ctx, d)
	}
	if err != nil && !x.lost(ctx, err) { // with the server gone nothing is deleted any more
		x.failOn(cause.CodeNoStandIn, d, fmt.Errorf("keeping %q, because its stand-in %q could not be made: %w", d.Name, d.StandIn, err))
		return false
	}
	return true
}

// standsIn looks whether the record that was there already is a stand-in.
func (x *Execution) standsIn(ctx context.Context, d rules.Decision) error {
	there, err := x.Store.Images().Get(ctx, d.StandIn)
	if err == nil && there.Target.Digest != d.Target.Digest {
		err = fmt.Errorf("it is the name of another image: %w", errdefs.ErrAlreadyExists)
	}
	return err
}

func (x *Execution) removeEach(ctx context.Context, records []rules.Decision, progress *read.Meter) {
	queue := make(chan rules.Decision)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range min(Deleters, len(records)) {
		wg.Go(func() {
			for d := range queue {
				result, err := x.removeOne(ctx, d)
				mu.Lock()
				x.note(ctx, d, result, err)
				mu.Unlock()
				progress.Add(1)
			}
		})
	}
	tried := 0
	for tried < len(records) && ctx.Err() == nil {
		select {
		case queue <- records[tried]:
			tried++
		case <-ctx.Done():
		}
	}
	close(queue)
	wg.Wait()
	x.Report.Untried += len(records) - tried
}

// removeBatched deletes many records in one transaction. When that fails none
// of them was deleted.
func (x *Execution) removeBatched(ctx context.Context, records []rules.Decision, progress *read.Meter) {
	for chunk := range slices.Chunk(records, transactionSize) {
		if ctx.Err() != nil {
			x.Report.Untried += len(chunk)
			continue
		}
		results := make([]removal, len(chunk))
		err := x.Store.Batch(ctx, func(ctx context.Context) error {
			for i, d := range chunk {
				result, err := x.removeOne(ctx, d)
				if err != nil {
					return err
				}
				results[i] = result
			}
			return nil
		})
		if err != nil {
			x.fail(cause.CodeNotDeleted, fmt.Errorf("deleting %d records in one transaction: %w", len(chunk), err))
			x.attempted[chunk[0].Namespace] = append(x.attempted[chunk[0].Namespace], chunk...)
			continue
		}
		for i, d := range chunk {
			x.note(ctx, d, results[i], nil)
		}
		progress.Add(len(chunk))
	}
}

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
	// unanswered: neither is known whether it was deleted nor whether it is
	// there, for looking failed as well.
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

func (x *Execution) note(ctx context.Context, d rules.Decision, result removal, err error) {
	switch result {
	case removed, taken:
		x.attempted[d.Namespace] = append(x.attempted[d.Namespace], d)
		if result == removed {
			x.Deleted[d.Key()] = x.opts.Now()
		}
		if x.opts.Event != nil {
			x.opts.Event(Event{Untagged: d.Record()})
		}
	case moved:
		x.noteRewritten(d)
		x.Report.skip(d, cause.Plainly(cause.CodeMoved))
	case rewritten:
		x.noteRewritten(d)
		x.Report.skip(d, cause.Plainly(cause.CodeRewritten))
	case late:
		x.Report.Untried++
		x.fail(cause.CodeLeaseEnds, fmt.Errorf("deleting was stopped because the lease that guards it expires at %s: run it again for the rest", x.run.Expires.Format(time.RFC3339)))
		x.stop()
	case vanished:
		x.Report.skip(d, cause.Plainly(cause.CodeRemoved))
	case unsure, unanswered, failed:
		x.attempted[d.Namespace] = append(x.attempted[d.Namespace], d)
		x.noteFailure(ctx, d, result, err)
	}
}

func (x *Execution) noteRewritten(d rules.Decision) {
	if gc.Expires(d.Image) {
		x.rewritten = append(x.rewritten, d)
	}
}

// noteFailure tells of a deletion that failed; not of each by itself when the
// server is gone.
func (x *Execution) noteFailure(ctx context.Context, d rules.Decision, result removal, err error) {
	switch {
	case result == unsure:
		x.unsure = append(x.unsure, d)
	case result == unanswered && x.lost(ctx, err):
		x.Report.Untried++
	default:
		x.failOn(cause.CodeNotDeleted, d, err)
	}
}

func IgnoreNotFound(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
