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

const (
	// firstRemoval is how long a slow disk takes to remove a snapshot: by it the
	// first slice is measured, and by what that took the following.
	firstRemoval = 8 * time.Millisecond
	// growth bounds how much larger than the last one a slice may be.
	growth = 4
	// aim is how much of the limit a collection is expected to need: on a busy disk
	// some need twice as long.
	aim = 0.6
	// memory is how much the collections before count, at each further one.
	memory = 0.8
	// surprise bounds how much longer than expected a collection counts.
	surprise = 2
	// wholly is for how many times the limit a collection may remove directories,
	// for which nobody has to wait but which keep the disk busy for all.
	wholly = 2
	// plain is how many times the limit the first collection takes if it mostly looked:
	// a slow disk would have removed what it had to remove within the limit.
	plain = 4
)

// slicer measures slices: how much of what a run deleted it gives up at a time,
// so that nobody has to wait much longer than the limit for a collection. It learns
// from the collections that it is told of: what one takes that has much to remove
// and one that has little tells apart what each object takes, and what every
// collection takes, because it looks at the store and waits for others to write.
type slicer struct {
	limit time.Duration
	// beside is what a slice takes apart from its collection, when nobody has to
	// wait.
	beside time.Duration
	// last is the size of the last slice.
	last int
	// wholes and stalls are what collections took, and what others had to wait.
	wholes, stalls line
}

// size is how many objects the next slice should have: at least one.
func (s *slicer) size() int {
	if s.last == 0 {
		return max(1, int(s.limit/firstRemoval))
	}
	most := float64(growth * s.last)
	size := most
	if look, each := s.stalls.fit(); each > 0 {
		size = min(size, (aim*s.limit.Seconds()-look)/each)
	}
	if look, each := s.wholes.fit(); each > 0 {
		// The disk is busy with directories that go, for all who write to it.
		size = min(size, (wholly*s.limit.Seconds()-look)/each)
		// A collection that mostly looks would be wasted.
		size = max(size, min(most, (look+s.beside.Seconds())/each))
	}
	// Neither would one that removes less than even a slow disk in that time.
	look, _ := s.wholes.fit()
	size = max(size, (look+s.beside.Seconds())/firstRemoval.Seconds())
	return max(1, int(size), s.last/2)
}

// mostlyLooked says of the first collection that most of it was not for what it
// removed.
func (s *slicer) mostlyLooked(took collection) bool { return took.whole > plain*s.limit }

// collected is told what the collection of so many objects took.
func (s *slicer) collected(objects int, took collection) {
	s.wholes.add(objects, took.whole)
	s.stalls.add(objects, took.stall)
	if objects > 0 {
		s.last = objects
	}
}

// line is drawn through the times of collections by what they had to remove, of
// which the last count most. These are sums over collections, each with its weight: of
// the weights, of objects, of seconds, of squares of objects, and of objects times
// seconds.
type line struct{ weights, objects, seconds, squares, products float64 }

// fit returns the seconds of a collection that has nothing to remove, and those of
// each object.
func (l *line) fit() (look, each float64) {
	each = (l.weights*l.products - l.objects*l.seconds) / (l.weights*l.squares - l.objects*l.objects)
	if look = (l.seconds - each*l.objects) / l.weights; look < 0 {
		return 0, l.seconds / l.objects
	}
	return look, each
}

// add adds the time of a collection. What held it up once is over.
func (l *line) add(objects int, took time.Duration) {
	n, t := float64(objects), took.Seconds()
	if look, each := l.fit(); each > 0 {
		t = min(t, surprise*(look+each*n))
	}
	l.weights, l.objects, l.seconds = l.weights*memory+1, l.objects*memory+n, l.seconds*memory+t
	l.squares, l.products = l.squares*memory+n*n, l.products*memory+n*t
}

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
