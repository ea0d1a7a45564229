package bench

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/prune"
)

// tally is what a step costs whatever else the machine does.
type tally struct {
	calls         int64 // RPCs
	allocs, bytes uint64
}

// counted is the work of the command in this process, step by step: planning
// as the command does it, planning alone, and doing it.
type counted struct{ plan, pure, execute tally }

// calls counts RPCs.
type calls struct{ n atomic.Int64 }

func (c *calls) options() prune.OpenOption {
	return prune.WithDialOptions(
		grpc.WithChainUnaryInterceptor(func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			c.n.Add(1)
			return invoke(ctx, method, req, reply, cc, opts...)
		}),
		grpc.WithChainStreamInterceptor(func(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
			c.n.Add(1)
			return open(ctx, desc, cc, method, opts...)
		}))
}

// tally counts what do costs. Nothing else may run in this process. Garbage is
// not collected meanwhile: it would empty gRPC's pools of buffers now and then.
func (c *calls) tally(do func()) tally {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	var before, after runtime.MemStats
	n := c.n.Load()
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return tally{c.n.Load() - n, after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc}
}

// times is how often something is counted, and the least taken: how many
// buffers gRPC has under way differs a little from one time to the next.
const times = 3

// count plans for the daemon's store and, if told to, prunes it.
func count(t *testing.T, d *daemon.Daemon, execute bool) (all counted) {
	t.Helper()
	var c calls
	store, err := prune.Open(t.Context(), d.Address(), c.options())
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	policy, now := pruning.All(), time.Now()
	var plan *prune.Plan
	for i := range times {
		one := c.tally(func() {
			plan, err = prune.ReadPlan(t.Context(), store, policy, now, prune.ReadOptions{})
		})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 || one.bytes < all.plan.bytes {
			all.plan = one
		}
	}
	inv, err := prune.Read(t.Context(), store, policy.Scope(), now, prune.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all.pure = c.tally(func() { _, err = prune.NewPlan(inv, policy, now) })
	if err != nil {
		t.Fatal(err)
	}
	if !execute {
		return all
	}
	// The number of slices depends on the time.
	all.execute = c.tally(func() {
		_, err = prune.Execute(t.Context(), store, plan, prune.ExecuteOptions{Now: time.Now, MaxStall: -1})
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
