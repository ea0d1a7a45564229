package run

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// queue is a store in which others wait for so long while a collection lasts for
// longer: their turn is asked for when most of its time is over.
type queue struct {
	store.Store
	wait  time.Duration
	fails error

	mu    sync.Mutex
	now   time.Time
	asks  chan struct{}
	asked sync.Once
	told  chan struct{}
}

func (q *queue) Now() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.now
}

func (q *queue) pass(d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.now = q.now.Add(d)
}

func (q *queue) Abilities() store.Abilities {
	<-q.asks
	if q.wait == 0 {
		return store.Abilities{}
	}
	return store.Abilities{Turns: q}
}

func (q *queue) AwaitTurn(context.Context, string) error {
	q.asked.Do(func() {
		q.pass(q.wait)
		close(q.told)
	})
	return q.fails
}

// collect is a collection that takes a second before anybody waits for it.
func (q *queue) collect() error {
	q.pass(time.Second)
	close(q.asks)
	if q.wait > 0 {
		<-q.told
	}
	return nil
}

// A collection counts for others as long as they wait, and as a whole where that
// cannot be learned.
func TestStalled(t *testing.T) {
	const wait = 40 * time.Millisecond
	for name, c := range map[string]struct {
		wait  time.Duration
		fails error
		by    []string
		stall time.Duration
	}{
		"learned":              {wait, nil, []string{"overlayfs"}, wait},
		"by two snapshotters":  {wait, nil, []string{"native", "overlayfs"}, wait},
		"the question fails":   {wait, errors.New("no"), []string{"overlayfs"}, time.Second + wait},
		"it cannot be learned": {0, nil, []string{"overlayfs"}, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			q := &queue{wait: c.wait, fails: c.fails, asks: make(chan struct{}), told: make(chan struct{})}
			x := &Execution{
				Store: q, opts: ExecuteOptions{Now: q.Now}, emptied: c.by, Report: &Report{},
				Batches: []plan.Batch{{Namespace: &inventory.Namespace{Name: "default"}}},
			}
			got, err := x.stalled(t.Context(), q.collect)
			if got.stall != c.stall || got.whole != time.Second+c.wait || x.Report.Stall != c.stall || err != nil {
				t.Errorf("got %+v, told %s; %v", got, x.Report.Stall, err)
			}
		})
	}
}
