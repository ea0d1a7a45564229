package run

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

const (
	// Deleters is how many records are deleted at once where that takes little time, most
	// of it between the program and the server. Each deletion is a transaction of its own
	// in the server. Where that is slow, because it waits for a disk, several at once would
	// only queue up there, and keep all others who write waiting.
	Deleters = 4
	// probes is how many are deleted one after the other before that is decided, and quick
	// the time that the fastest of them takes at most where there is no disk to wait for.
	probes = 8
	quick  = time.Millisecond
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
	progress.Add(0) // the stage is told of before its first deletion is
	for _, b := range x.Batches {
		ctx := store.InNamespace(ctx, b.Namespace.Name)
		records := slices.DeleteFunc(slices.Clone(b.Records), func(d rules.Decision) bool { return !x.standIn(ctx, d) })
		records = x.makeCRIForget(ctx, b, records)
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

// removeEach deletes records one by one, or several at once if that helps, or if they are
// so few that nobody notices.
func (x *Execution) removeEach(ctx context.Context, records []rules.Decision, progress *read.Meter) {
	tried, at := 0, Deleters
	if len(records) > probes {
		var fastest time.Duration
		tried, fastest = x.removeSome(ctx, records[:probes], 1, progress)
		if fastest >= quick {
			at = 1
		}
	}
	more, _ := x.removeSome(ctx, records[tried:], at, progress)
	x.Report.Untried += len(records) - tried - more
}

// removeSome deletes records, so many at once, until ctx ends. It returns how many it
// tried, and how long the fastest deletion took.
func (x *Execution) removeSome(ctx context.Context, records []rules.Decision, at int, progress *read.Meter) (tried int, fastest time.Duration) {
	queue := make(chan rules.Decision)
	var wg sync.WaitGroup
	var mu sync.Mutex
	fastest = endless
	for range min(at, len(records)) {
		wg.Go(func() {
			for d := range queue {
				start := x.opts.Now()
				result, err := x.removeOne(ctx, d)
				took := x.opts.Now().Sub(start)
				mu.Lock()
				x.note(ctx, d, result, err)
				fastest = min(fastest, took)
				mu.Unlock()
				progress.Add(1)
			}
		})
	}
	for tried < len(records) && ctx.Err() == nil {
		select {
		case queue <- records[tried]:
			tried++
		case <-ctx.Done():
		}
	}
	close(queue)
	wg.Wait()
	return tried, fastest
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

// IgnoreNotFound drops the error for what is gone already, which is what was wanted.
func IgnoreNotFound(err error) error {
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}
