package races

import (
	"sync"
	"time"
)

// comingBack is how long after a restart clients may still fail to connect.
const comingBack = 30 * time.Second

// outages are the times in which something was not there.
type outages struct {
	up sync.RWMutex // held while it is down: nothing that needs it begins

	mu    sync.Mutex
	count int
	down  bool
	since time.Time
}

// take notes a time in which it is not there.
func (o *outages) take(during func()) {
	o.up.Lock()
	defer o.up.Unlock()
	o.mark(true)
	during()
	o.mark(false)
}

func (o *outages) mark(down bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.down, o.since = down, time.Now()
	if down {
		o.count++
	}
}

// began waits until it is there, and returns how many outages there were.
func (o *outages) began() int {
	o.up.RLock()
	defer o.up.RUnlock()
	return o.times()
}

// times is how many there were, with the one that lasts.
func (o *outages) times() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.count
}

// excuse says whether something failed, which began after some outages, because
// of a later one.
func (o *outages) excuse(before int, err error) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return before != o.count || o.down || unready(err) && time.Since(o.since) < comingBack
}
