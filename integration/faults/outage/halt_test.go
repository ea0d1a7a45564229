package outage

import (
	"context"
	"path/filepath"
	"sync"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/bed/proxy"
)

// halted is a command that waits at one of its calls.
type halted struct {
	*programs.Process
	b *bed
	// reached says that it came to the call. If not it has ended before.
	reached bool
	// release lets the call go on.
	release func()
	proxy   *proxy.Proxy
}

// halt starts the command by way of a proxy that holds it at a call, and waits
// until it is there.
func (b *bed) halt(at spot, more ...string) *halted {
	b.t.Helper()
	there, goOn := make(chan struct{}), make(chan struct{})
	h := &halted{b: b, release: sync.OnceFunc(func() { close(goOn) })}
	socket := filepath.Join(b.d.Dir(), "p.sock")
	h.proxy = proxy.Start(b.t, b.d.Address(), socket, func(ctx context.Context, c proxy.Call) {
		if c.Method == at.Method && c.Nth == at.Nth && c.Answered == at.Answered {
			close(there)
			select {
			case <-goOn:
			case <-ctx.Done():
			}
		}
	})
	b.t.Cleanup(h.release) // or the proxy would wait for it
	h.Process = b.start(socket, more...)
	select {
	case <-there:
		h.reached = true
	case <-h.Ended():
	}
	return h
}

// end lets the command go on, waits for its end and returns its exit code.
func (h *halted) end() int {
	h.b.t.Helper()
	h.release()
	code, _ := h.End()
	h.b.must(h.proxy.Close())
	return code
}

// spot is a call by its method, because the order of concurrent calls varies.
type spot = proxy.Call

// Spots that matter.
var (
	firstList   = spot{Method: "/containerd.services.images.v1.Images/List", Nth: 1}
	firstDelete = spot{Method: "/containerd.services.images.v1.Images/Delete", Nth: 1}
	collecting  = spot{Method: "/containerd.services.leases.v1.Leases/Delete", Nth: 1}
)

// calls are those of an undisturbed run.
func (b *bed) calls() []spot {
	b.t.Helper()
	h := b.halt(spot{Method: "none"})
	if code := h.end(); code != 0 {
		b.t.Fatalf("the undisturbed command ends with %d: %s", code, h.Stderr())
	}
	b.fill()
	return h.proxy.Calls()
}
