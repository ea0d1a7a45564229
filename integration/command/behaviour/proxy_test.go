package behaviour_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	grpcproxy "github.com/ctr-prune/ctr-prune/integration/bed/proxy"
)

// The calls at which tests stop a run.
const (
	callDeleteImage = "/containerd.services.images.v1.Images/Delete"
	callListImages  = "/containerd.services.images.v1.Images/List"
	callUpdateBlob  = "/containerd.services.content.v1.Content/Update"
	callDeleteLease = "/containerd.services.leases.v1.Leases/Delete"
)

// eventTimeout is how long a test waits for what must happen.
const eventTimeout = 5 * time.Minute

// proxy stands between the command and containerd and can hold a call: so a
// run is stopped at a known step, with no need to be quick.
type proxy struct {
	address string
	mu      sync.Mutex
	holds   []*hold
}

// hold stops the n-th call of a method and all that follow it.
type hold struct {
	method string
	n      int
	// answered: containerd has done what was called for, but the command
	// does not know yet.
	answered bool

	count    int
	reached  chan struct{} // closed when the n-th call is there
	left     chan struct{} // closed when the caller gives a held call up
	released chan struct{}
	leave    sync.Once
}

// newProxy starts a proxy to the daemon.
func (s *subject) newProxy() *proxy {
	s.t.Helper()
	p := &proxy{address: filepath.Join(s.daemon.Dir(), "proxy.sock")}
	grpcproxy.Start(s.t, s.daemon.Address(), p.address, p.pass)
	return p
}

// hold stops the n-th call of a method, and those that follow, before it
// reaches containerd or, if answered, on its way back.
func (p *proxy) hold(method string, n int, answered bool) *hold {
	h := &hold{
		method: method, n: n, answered: answered,
		reached: make(chan struct{}), left: make(chan struct{}), released: make(chan struct{}),
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holds = append(p.holds, h)
	return h
}

// release lets all held calls go.
func (h *hold) release() { close(h.released) }

func await(t *testing.T, what string, event <-chan struct{}) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(eventTimeout):
		t.Fatalf("waited in vain for %s", what)
	}
}

func (p *proxy) pass(ctx context.Context, call grpcproxy.Call) {
	for _, h := range p.matching(call.Method, call.Answered) {
		select {
		case <-h.released:
		case <-ctx.Done():
			h.leave.Do(func() { close(h.left) })
		}
	}
}

func (p *proxy) matching(method string, answered bool) (stopped []*hold) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.holds {
		if h.method != method || h.answered != answered {
			continue
		}
		h.count++
		if h.count == h.n {
			close(h.reached)
		}
		if h.count >= h.n {
			stopped = append(stopped, h)
		}
	}
	return stopped
}
