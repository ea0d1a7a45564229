package run

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// finish does what follows the deletions. After an interruption, whenever it
// comes, its time is limited; measuring has a limit of its own, so that what a
// long collection freed is reported.
func (x *Execution) finish(ctx context.Context) {
	finishing, done := linger(ctx, x.opts.Finish)
	defer done()
	x.EndWatch(finishing)
	if err := x.lookAgain(finishing); err != nil {
		x.unfinished(err)
		return
	}
	x.fail(cause.CodeServerGone, x.left(false))
	x.fail(cause.CodeNotUnlocked, x.dropEmptyGraces(finishing))
	if err := x.releaseInSlices(finishing); err != nil {
		x.unfinished(err)
		return
	}
	x.sight = nil
	x.fail(cause.CodeNotUnlocked, x.unlock(finishing))
	measuring, measured := linger(ctx, x.opts.Finish)
	defer measured()
	x.measure(measuring)
}

// undone says whether an interruption left anything of the plan, or of the end
// of the run. A deletion that got no answer was made if its record is gone.
func (x *Execution) undone() bool {
	if !x.Report.Measured || x.Report.Untried > 0 || x.unaborted > 0 {
		return true
	}
	return slices.ContainsFunc(x.unsure, func(d rules.Decision) bool {
		return !slices.Contains(x.Report.Untagged, d.Record())
	})
}

// answerTime is how long an interrupted run waits for the answers to what it
// has asked for. A request that the client abandons is often carried out all the
// same, perhaps only after the run has checked what became of it.
const answerTime = 10 * time.Second

// linger returns a context that ends so long after ctx.
func linger(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	lingering, end := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			end()
		case <-lingering.Done():
		}
	})
	return lingering, func() {
		unhook()
		end()
	}
}

// Begun returns a context for what was begun and has to end in order: it ends so long
// after ctx as Finish says. Call the function that is returned when that is done.
func (o ExecuteOptions) Begun(ctx context.Context) (context.Context, context.CancelFunc) {
	return linger(ctx, cmp.Or(o.Finish, DefaultFinish))
}
