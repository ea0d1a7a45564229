package run

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// turnRest is how long a run waits before it asks again how long others have to
// wait: it sees what takes longer.
const turnRest = 10 * time.Millisecond

// collection is how long one took.
type collection struct {
	// whole is how long the run waited for it, and stall how long at most those had
	// to wait who wanted to write meanwhile.
	whole, stall time.Duration
}

// timed makes a collection.
func (x *Execution) timed(ctx context.Context, collect func() error) error {
	_, err := x.stalled(ctx, collect)
	return err
}

// stalled makes a collection, and notes how long others had to wait because of it
// if that is the longest so far. containerd removes directories without a lock, and
// on a busy disk that takes longest; so somebody else's turn is waited for all the
// time. Where that cannot be done, the collection counts as a whole.
func (x *Execution) stalled(ctx context.Context, collect func() error) (collection, error) {
	ended := make(chan struct{})
	waited := make(chan time.Duration, 1)
	go func() { waited <- x.waitBeside(ctx, ended) }()
	start := x.opts.Now()
	err := collect()
	c := collection{whole: x.opts.Now().Sub(start)}
	close(ended)
	c.stall = min(<-waited, c.whole)
	x.Report.Stall = max(x.Report.Stall, c.stall)
	return c, err
}

// endless is longer than any collection.
const endless time.Duration = 1<<63 - 1

// waitBeside waits for a turn again and again, and returns the longest time that it
// took; endless if that is unknown.
func (x *Execution) waitBeside(ctx context.Context, ended <-chan struct{}) (longest time.Duration) {
	turns := x.Store.Abilities().Turns
	if turns == nil || len(x.emptied) == 0 {
		return endless
	}
	ctx, cancel := context.WithCancel(store.InNamespace(ctx, x.Batches[0].Namespace.Name))
	defer cancel()
	go func() {
		defer cancel()
		<-ended
	}()
	for {
		start := x.opts.Now()
		g, within := errgroup.WithContext(ctx)
		for _, name := range x.emptied {
			g.Go(func() error { return turns.AwaitTurn(within, name) })
		}
		err := g.Wait()
		longest = max(longest, x.opts.Now().Sub(start))
		switch {
		case err != nil && !errors.Is(err, context.Canceled):
			return endless
		case ctx.Err() != nil: // the last one may have been cut short
			return longest
		}
		rest(ctx)
	}
}

func rest(ctx context.Context) {
	timer := time.NewTimer(turnRest)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// emptiedBy are the snapshotters from which a plan removes snapshots.
func emptiedBy(p *plan.Plan) []string {
	names := make(map[string]bool)
	for id := range p.Outcome.Freed.Snapshots {
		names[id.Snapshotter] = true
	}
	return slices.Sorted(maps.Keys(names))
}
