package calls

import (
	"context"
	"errors"
	"path"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/prune"
)

// What a server says of a failure holds names of the store, and is not read for
// what a disk would say: to go without a guard is offered only where the disk is
// seen to be full.
func TestFailureThatReadsLikeAFullDisk(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		t.Parallel()
		b := newBed(t, v)
		f := &fault{inject: func() error {
			return status.Error(codes.Unknown, `lease "no space left on device" is odd`)
		}}
		for i, method := range b.calls {
			if path.Base(method) == "Create" && strings.Contains(method, ".Leases/") {
				f.at = i + 1
				break
			}
		}
		o := b.run(context.WithoutCancel(t.Context()), f)
		var guard *prune.GuardError
		if o.err == nil || f.method == "" || errors.As(o.err, &guard) || prune.CodeOf(o.err) != "" {
			t.Errorf("failed %q: %v", f.method, o.err)
		}
	})
}
