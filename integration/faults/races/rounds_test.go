package races

import (
	"context"
	"sync"
)

// rounds lets actors wait until the pruner has been over the store again.
type rounds struct {
	mu      sync.Mutex
	ended   *sync.Cond
	count   int
	stopped bool
}

func (d *rounds) init() { d.ended = sync.NewCond(&d.mu) }

// done says that a run that removed something has ended.
func (d *rounds) done() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.count++
	d.ended.Broadcast()
}

// start lets actors wait again after a stop.
func (d *rounds) start() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = false
}

// stop lets all who wait go.
func (d *rounds) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	d.ended.Broadcast()
}

// await waits until a run has begun and ended since, so that it has seen what
// is there now: the second end from now on is that of such a run. It returns
// the context's error if the race is over before.
func (d *rounds) await(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	for until := d.count + 2; d.count < until && !d.stopped; {
		d.ended.Wait()
	}
	if d.stopped {
		return context.Canceled
	}
	return ctx.Err()
}
