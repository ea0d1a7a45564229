package calls

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/leases"
)

// errorCodes are those of the errors that calls fail with.
var errorCodes = []codes.Code{codes.Unavailable, codes.DeadlineExceeded, codes.Internal, codes.ResourceExhausted, codes.PermissionDenied}

// Every call fails, with one error of the server or, in the long mode, with
// each, before and after containerd has done what was asked.
func TestEveryCallFails(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		t.Parallel()
		b := newBed(t, v)
		done := 0
		for i, at := range b.sample(v == parts.Containerd24) {
			each := []codes.Code{errorCodes[i%len(errorCodes)]}
			moments := []moment{moment(i % 2)}
			if long() {
				each, moments = errorCodes, []moment{before, after}
			}
			for _, code := range each {
				for _, m := range moments {
					b.fails(at, m, code)
					done++
				}
			}
		}
		t.Logf("%d faults in runs of %d calls", done, len(b.calls))
	})
}

// fails makes one call return an error.
func (b *bed) fails(at int, m moment, code codes.Code) {
	b.t.Helper()
	f := &fault{at: at, moment: m, inject: func() error { return status.Error(code, "injected by the test") }}
	o := b.run(b.t.Context(), f)
	what := fmt.Sprintf("%s %s call %d, %s", code, m, at, f.method)
	if o.err == nil && len(o.plan.Refused) == 0 {
		// Only a fault that made no difference need not be told of, such as a
		// deletion whose lost answer was looked up. What is left alone is told, such
		// as a namespace whose snapshotter did not answer.
		b.complete(what)
	}
	b.verdict(what, o)
}

// The run is cancelled at its calls.
func TestCancelledAtCalls(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		t.Parallel()
		b := newBed(t, v)
		at := b.sample(false)
		for i, at := range at {
			b.cancels(at, moment(i%2))
		}
		t.Logf("%d runs cancelled, of %d calls each", len(at), len(b.calls))
	})
}

// cancels cancels the run at one call.
func (b *bed) cancels(at int, m moment) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	defer cancel()
	f := &fault{at: at, moment: m, inject: func() error { cancel(); return nil }}
	o := b.run(ctx, f)
	what := fmt.Sprintf("cancelled %s call %d, %s", m, at, f.method)
	if o.report == nil && !errors.Is(o.err, context.Canceled) && status.Code(o.err) != codes.Canceled {
		b.t.Errorf("%s: %v", what, o.err)
	}
	for name, ns := range b.d.Capture().Namespaces {
		if _, left := ns.Leases[leases.RunID]; left {
			b.t.Errorf("%s: the run lease is left in namespace %q", what, name)
		}
	}
	b.verdict(what, o)
}

// The process of the run is killed at a spread of calls, or at every one.
func TestKilledAtCalls(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		t.Parallel()
		b := newBed(t, v)
		kills := 0
		for i, at := range b.sample(false) {
			f := &fault{at: at, moment: moment(i % 2)}
			if b.kill(f) {
				kills++
			}
			b.verdict(fmt.Sprintf("killed %s call %d", f.moment, at), outcome{})
		}
		t.Logf("%d kills in runs of %d calls", kills, len(b.calls))
		if kills < few {
			t.Errorf("only %d runs were killed", kills)
		}
	})
}
