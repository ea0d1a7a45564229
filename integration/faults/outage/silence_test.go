package outage

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/prune"
)

// A containerd that does not move any more is given up: here after the shortest
// time that gRPC allows. The run says that what it deleted is held, and the
// next one finishes it.
func TestAFrozenContainerdIsGivenUp(t *testing.T) {
	onDaemons(t, 6, func(b *bed) {
		report, err := b.execute(
			prune.WithTimeout(time.Second),
			b.before(firstDelete, b.d.Pause),
			prune.WithDialOptions(grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 10 * time.Second, Timeout: time.Second})),
		)
		b.d.Continue()
		if err == nil || report == nil || !strings.Contains(err.Error(), "still held until the next run finishes it") {
			b.t.Fatalf("the run ended with report %v, error %v", report != nil, err)
		}
		b.survived("given up")
		// This process lives on, but its run is over.
		report, err = b.execute()
		b.must(err)
		if len(report.Recovered) != 1 {
			b.t.Errorf("recovered %+v", report.Recovered)
		}
		b.recovered("given up")
	})
}

// execute prunes with the library, in this process.
func (b *bed) execute(opts ...prune.OpenOption) (*prune.Report, error) {
	b.t.Helper()
	ctx := b.t.Context()
	store, err := prune.Open(ctx, b.d.Address(), opts...)
	b.must(err)
	defer store.Close()
	plan, err := prune.ReadPlan(ctx, store, pruning.All("default"), time.Now(), prune.ReadOptions{})
	b.must(err)
	return prune.Execute(ctx, store, plan, prune.ExecuteOptions{Now: time.Now})
}

// before does something to containerd when a call of this process is about to be made.
func (b *bed) before(at spot, do func()) prune.OpenOption {
	var calls atomic.Int32
	return prune.WithDialOptions(grpc.WithChainUnaryInterceptor(
		func(ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			if method == at.Method && calls.Add(1) == int32(at.Nth) {
				do()
			}
			return invoke(ctx, method, request, reply, cc, opts...)
		}))
}

// So does the command by itself, after some minutes. It is frozen when it has
// written its plan.
func TestTheCommandGivesAFrozenContainerdUp(t *testing.T) {
	onDaemons(t, 6, func(b *bed) {
		if b.soak() == 0 {
			return // seven minutes: only in the long mode
		}
		planned := b.watch(unix.IN_MOVED_TO)
		r := b.start(b.d.Address())
		b.must(planned())
		b.d.Pause()
		select {
		case <-r.Ended():
		case <-time.After(10 * time.Minute):
			b.t.Error("the command still waits")
		}
		b.d.Continue()
		if code, _ := r.End(); code != programs.ExitFailed {
			b.t.Errorf("exit code %d: %s", code, r.Stderr())
		}
		b.recovered("given up by the command")
	})
}
