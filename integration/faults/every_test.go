package faults

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ctr-prune/ctr-prune/integration/daemon"
	"github.com/ctr-prune/ctr-prune/integration/parts"
)

// few is how many calls are struck where not all of them are.
const few = 8

// steps are the calls to strike: all, or a spread of n.
func steps(calls, n int) []int {
	if n <= 0 || n >= calls {
		n = calls
	}
	var at []int
	for i := range n {
		at = append(at, 1+i*(calls-1)/max(1, n-1))
	}
	return at
}

// Every call fails once, with an error of the server.
func TestEveryCallFails(t *testing.T) {
	b := newBed(t, parts.Containerd24)
	t.Logf("%d calls", b.calls)
	done := 0
	for n, code := range []codes.Code{codes.Unavailable, codes.DeadlineExceeded, codes.Internal, codes.ResourceExhausted, codes.PermissionDenied} {
		all := 0
		if n > 0 || testing.Short() {
			all = few
		}
		for i, at := range steps(b.calls, all) {
			b.fails(at, moment((i+n)%2), code)
			done++
		}
	}
	t.Logf("%d faults", done)
}

// fails strikes one call with an error.
func (b *bed) fails(at int, m moment, code codes.Code) {
	b.t.Helper()
	f := &fault{at: at, moment: m, strike: func() error { return status.Error(code, "struck by the test") }}
	o := b.run(b.t.Context(), f, time.Now)
	what := fmt.Sprintf("%s %s call %d, %s", code, m, at, f.method)
	if o.err == nil {
		// Only a fault that made no difference need not be told of, such as a
		// deletion whose lost answer was looked up.
		b.complete(what)
	}
	b.verdict(what, o, later)
}

// The run is cancelled at every call.
func TestCancelledAtEveryCall(t *testing.T) {
	b := newBed(t, parts.Containerd24)
	all := 3 * few
	if testing.Short() {
		all = few
	}
	for i, at := range steps(b.calls, all) {
		ctx, cancel := context.WithCancel(t.Context())
		f := &fault{at: at, moment: moment(i % 2), strike: func() error { cancel(); return nil }}
		o := b.run(ctx, f, time.Now)
		cancel()
		what := fmt.Sprintf("cancelled %s call %d, %s", f.moment, at, f.method)
		if o.report == nil && !errors.Is(o.err, context.Canceled) && status.Code(o.err) != codes.Canceled {
			t.Errorf("%s: %v", what, o.err)
		}
		for name, ns := range b.d.Capture().Namespaces {
			if _, left := ns.Leases["ctr-prune"]; left {
				t.Errorf("%s: the run lease is left in namespace %q", what, name)
			}
		}
		b.verdict(what, o, time.Now)
	}
}

// The process of the run is killed at a spread of calls.
func TestKilledAtCalls(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		b := newBed(t, v)
		kills := 0
		for i, at := range steps(b.calls, 2*few) {
			f := &fault{at: at, moment: moment(i % 2)}
			if b.kill(f) {
				kills++
			}
			b.verdict(fmt.Sprintf("killed %s call %d", f.moment, at), outcome{}, time.Now)
		}
		t.Logf("%d kills in a run of %d calls", kills, b.calls)
		if kills < few {
			t.Errorf("only %d runs were killed", kills)
		}
	})
}
