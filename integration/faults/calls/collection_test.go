package calls

import (
	"context"
	"testing"
	"time"

	leasesapi "github.com/containerd/containerd/api/services/leases/v1"
	"google.golang.org/grpc"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/prune"
)

// A collection may take longer than an interrupted run is given: the run waits
// for it, and tells what it did.
func TestCollectionLongerThanFinishing(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		t.Parallel()
		b := newBed(t, v)
		const bound = 100 * time.Millisecond
		long := func(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			if r, ok := req.(*leasesapi.DeleteRequest); ok && r.Sync {
				select {
				case <-ctx.Done():
				case <-time.After(5 * bound):
				}
			}
			return invoke(ctx, method, req, reply, cc, opts...)
		}
		store, err := prune.Open(t.Context(), b.d.Address(), prune.WithDialOptions(grpc.WithChainUnaryInterceptor(long)))
		b.must(err)
		defer store.Close()
		policy := pruning.All("default", "other")
		plan, err := prune.ReadPlan(t.Context(), store, policy, time.Now(), prune.ReadOptions{})
		b.must(err)
		report, err := prune.Execute(t.Context(), store, plan, prune.ExecuteOptions{Now: time.Now, Finish: bound})
		if err != nil || !report.Measured || report.Reclaimed != plan.Predicted() || report.Reclaimed.Blobs == 0 {
			t.Errorf("measured %v, reclaimed %+v of %+v, %v", report.Measured, report.Reclaimed, plan.Predicted(), err)
		}
	})
}
