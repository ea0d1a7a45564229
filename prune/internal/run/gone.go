package run

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
)

// GoneError says that containerd stopped answering while a run was deleting.
// The run did not try the remaining records, because each would have failed in
// the same way.
type GoneError struct {
	// Untried is how many of the Planned records are left to be tried, those
	// included whose deletion was asked for and never answered.
	Untried, Planned int
	// Held says that the run could not be finished either: what it deleted is
	// held by its lease until the next run finishes it.
	Held bool
	// Err is how the server failed to answer.
	Err error
}

func (e *GoneError) Error() string {
	text := fmt.Sprintf("containerd no longer answers: %s", e.Err)
	if e.Untried > 0 {
		text += fmt.Sprintf("; %d of %d image records were not tried", e.Untried, e.Planned)
	}
	if e.Held {
		return text + "; what was deleted is still held until the next run finishes it: run it again when containerd is back"
	}
	return text + "; run it again for the rest"
}

// Unwrap returns how the server failed to answer, as errdefs.ErrUnavailable.
func (e *GoneError) Unwrap() error { return e.Err }

// questionTime bounds the question whether the server is there.
const questionTime = 10 * time.Second

// silent returns how the server fails to answer at all, if that may be the
// reason of err and it does not answer a simple question either; nil if it is
// there.
func (x *Execution) silent(ctx context.Context, err error) error {
	if !errdefs.IsUnavailable(err) {
		return nil
	}
	// Deleting may have been stopped by now, by another sign of the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), questionTime)
	defer cancel()
	if _, err := x.Store.Namespaces(ctx); errdefs.IsUnavailable(err) {
		return err
	}
	return nil
}

// lost says whether a call failed only because the server is gone. The first
// call that finds so stops the deleting. Not safe for concurrent use.
func (x *Execution) lost(ctx context.Context, err error) bool {
	if x.gone != nil {
		return errdefs.IsUnavailable(err) || errdefs.IsCanceled(err)
	}
	if x.gone = x.silent(ctx, err); x.gone != nil {
		x.stop()
	}
	return x.gone != nil
}

// left tells what a server that went away has left of the plan; held says that
// it did not come back for the rest of the run.
func (x *Execution) left(held bool) error {
	if x.gone == nil {
		return nil
	}
	return &GoneError{Untried: x.Report.Untried, Planned: x.planned(), Held: held, Err: x.gone}
}

// unfinished reports that a run could not check whether something needs what it
// deleted. It releases nothing: the lease is kept, and the next run finishes it.
func (x *Execution) unfinished(err error) {
	switch held := !x.opts.NoGuard; {
	case held && x.gone != nil && errdefs.IsUnavailable(err): // one sentence tells both
		x.fail(cause.CodeServerGone, x.left(true))
	case held:
		x.fail(cause.CodeServerGone, x.left(false))
		x.fail(cause.CodeNotFinished, fmt.Errorf("what was deleted is still held until the next run finishes it: %w", err))
	default:
		x.fail(cause.CodeServerGone, x.left(false))
		x.fail(cause.CodeNotFinished, fmt.Errorf("could not check whether anything now needs what was deleted: %w", err))
	}
}

// planned counts the records that the run set out to delete.
func (x *Execution) planned() int {
	total := 0
	for _, b := range x.Batches {
		total += len(b.Records)
	}
	return total
}
