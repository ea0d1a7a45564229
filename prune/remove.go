package prune

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/errdefs"
)

const (
	// deleters is how many records are deleted at once. Each deletion is a
	// transaction of its own in the server, and these queue up.
	deleters = 4
	// transactionSize bounds how many records of an embedded store are
	// deleted in one transaction.
	transactionSize = 1000
)

// delete does what a plan is for, until ctx ends, the server is gone, or it
// does not tell any more what others write.
func (x *execution) delete(ctx context.Context) {
	ctx, x.stop = context.WithCancel(ctx)
	defer x.stop()
	defer x.watch.guard(x.stop)()
	x.remove(ctx)
	x.abort(ctx)
}

// remove makes the stand-ins and deletes the records of all batches, until
// ctx ends. Errors of single records do not stop the others.
func (x *execution) remove(ctx context.Context) {
	progress := newMeter(x.opts.Progress, StageDelete)
	progress.total = x.planned()
	for _, b := range x.batches {
		ctx := inNamespace(ctx, b.ns.Name)
		records := slices.DeleteFunc(slices.Clone(b.records), func(d Decision) bool { return !x.standIn(ctx, d) })
		records = x.exorcise(ctx, b, records)
		if x.store.Transactional() {
			x.removeBatched(ctx, records, progress)
		} else {
			x.removeEach(ctx, records, progress)
		}
	}
}

// standIn makes the record that takes another's place. It says whether the
// other may go.
func (x *execution) standIn(ctx context.Context, d Decision) bool {
	if d.Action != StandIn || ctx.Err() != nil {
		return true
	}
	ctx, done := linger(ctx, answerTime)
	defer done()
	_, err := x.store.Images().Create(ctx, d.standIn())
	if errdefs.IsAlreadyExists(err) {
		err = x.standsIn(ctx, d)
	}
	if err != nil && !x.lost(ctx, err) { // with the server gone nothing is deleted any more
		x.fail(fmt.Errorf("keeping %q, for its stand-in %q could not be made: %w", d.Name, d.StandIn, err))
		return false
	}
	return true
}

// standsIn looks whether the record that was there already is a stand-in.
func (x *execution) standsIn(ctx context.Context, d Decision) error {
	there, err := x.store.Images().Get(ctx, d.StandIn)
	if err == nil && there.Target.Digest != d.Target.Digest {
		err = fmt.Errorf("it is the name of another image: %w", errdefs.ErrAlreadyExists)
	}
	return err
}

func (x *execution) removeEach(ctx context.Context, records []Decision, progress *meter) {
	queue := make(chan Decision)
	var wg sync.WaitGroup
	var mu sync.Mutex
	for range min(deleters, len(records)) {
		wg.Go(func() {
			for d := range queue {
				result, err := x.removeOne(ctx, d)
				mu.Lock()
				x.note(ctx, d, result, err)
				mu.Unlock()
				progress.add(1)
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
	x.report.Untried += len(records) - tried
}

// removeBatched deletes many records in one transaction. When that fails none
// of them was deleted.
func (x *execution) removeBatched(ctx context.Context, records []Decision, progress *meter) {
	for chunk := range slices.Chunk(records, transactionSize) {
		if ctx.Err() != nil {
			x.report.Untried += len(chunk)
			continue
		}
		results := make([]removal, len(chunk))
		err := x.store.Batch(ctx, func(ctx context.Context) error {
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
			x.fail(fmt.Errorf("deleting %d records in one transaction: %w", len(chunk), err))
			x.attempted[chunk[0].Namespace] = append(x.attempted[chunk[0].Namespace], chunk...)
			continue
		}
		for i, d := range chunk {
			x.note(ctx, d, results[i], nil)
		}
		progress.add(len(chunk))
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
func (x *execution) removeOne(ctx context.Context, d Decision) (removal, error) {
	if x.late() {
		return late, nil
	}
	ctx, done := linger(ctx, answerTime)
	defer done()
	written := !x.watch.of(d.key()).written.IsZero()
	if written || x.store.Transactional() || !x.serverCompares() {
		result, err := x.compare(ctx, d)
		if cutShort(ctx, err) {
			return unsure, nil
		}
		if result != removed {
			return result, err
		}
	}
	target := d.Target
	err := x.store.Images().Delete(ctx, d.Name, images.DeleteTarget(&target))
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
	case result == vanished && expires(d.image):
		return taken, nil
	case result == vanished && !errdefs.IsNotFound(err):
		return removed, nil
	default:
		return result, nil
	}
}

// late says whether what is left of the run's lease is needed for its end. It
// asks the clock before each deletion, for no timer runs while a machine sleeps.
func (x *execution) late() bool {
	if x.opts.NoGuard {
		return false
	}
	end := min(x.opts.Finish, x.opts.LeaseTTL/4)
	return x.opts.Now().After(x.run.Expires.Add(-end))
}

func deleteError(d Decision, err error) error {
	return fmt.Errorf("deleting image %q in namespace %q: %w", d.Name, d.Namespace, err)
}

func (x *execution) serverCompares() bool {
	return parseVersion(x.plan.inventory.Store.Version).atLeast(release{2, 0})
}

// compare returns removed if the record may be deleted: it is there with the
// target of the plan. An error leaves it unanswered.
func (x *execution) compare(ctx context.Context, d Decision) (removal, error) {
	image, err := x.store.Images().Get(ctx, d.Name)
	switch {
	case errdefs.IsNotFound(err):
		return vanished, nil
	case err != nil:
		return unanswered, fmt.Errorf("looking up image %q in namespace %q: %w", d.Name, d.Namespace, err)
	case image.Target.Digest != d.Target.Digest:
		return moved, nil
	case !image.UpdatedAt.Equal(d.image.UpdatedAt) || !image.CreatedAt.Equal(d.image.CreatedAt):
		return rewritten, nil
	default:
		return removed, nil
	}
}

func (x *execution) note(ctx context.Context, d Decision, result removal, err error) {
	switch result {
	case removed, taken:
		x.attempted[d.Namespace] = append(x.attempted[d.Namespace], d)
		if result == removed {
			x.deleted[d.key()] = x.opts.Now()
		}
		if x.opts.Event != nil {
			x.opts.Event(Event{Untagged: d.record()})
		}
	case moved:
		x.noteRewritten(d)
		x.report.skip(d, plainly(codeMoved))
	case rewritten:
		x.noteRewritten(d)
		x.report.skip(d, plainly(codeRewritten))
	case late:
		x.report.Untried++
		x.fail(fmt.Errorf("deleting was stopped, for the lease that guards it expires at %s: run it again for the rest", x.run.Expires.Format(time.RFC3339)))
		x.stop()
	case vanished:
		x.report.skip(d, plainly(codeRemoved))
	case unsure, unanswered, failed:
		x.attempted[d.Namespace] = append(x.attempted[d.Namespace], d)
		x.noteFailure(ctx, d, result, err)
	}
}

func (x *execution) noteRewritten(d Decision) {
	if expires(d.image) {
		x.rewritten = append(x.rewritten, d)
	}
}

// noteFailure tells of a deletion that failed; not of each by itself when the
// server is gone.
func (x *execution) noteFailure(ctx context.Context, d Decision, result removal, err error) {
	switch {
	case result == unsure:
		x.unsure = append(x.unsure, d)
	case result == unanswered && x.lost(ctx, err):
		x.report.Untried++
	default:
		x.fail(err)
	}
}

func ignoreNotFound(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
