package cri_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
)

// A container is created from an image after the run has looked for the last
// time before it deletes: the image comes back with all its names.
func TestImageOfAContainerMadeMeanwhileComesBack(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		n := cri.Start(t, version)
		app := n.Pulled("docker.io/library/app", "1")
		stray := n.Pulled("docker.io/library/stray", "1")
		pod := n.Pod("api")
		var made sync.Once
		var id string
		atFirstDelete := func(ctx context.Context, method string, request, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
			if strings.HasSuffix(method, "images.v1.Images/Delete") {
				made.Do(func() { id = pod.Create(cri.Container{Name: "app", Image: "app:1"}) })
			}
			return invoke(ctx, method, request, reply, cc, opts...)
		}
		p, err := run{
			namespaces: []string{cri.Namespace},
			dial:       []grpc.DialOption{grpc.WithChainUnaryInterceptor(atFirstDelete)},
		}.on(t, n)
		if err != nil {
			t.Error(err)
		}
		p.wantGone(t, stray)
		if len(p.report.Restored) != 3 {
			t.Errorf("restored %+v, want the three names", p.report.Restored)
		}
		pod.Start(id)
		wantClean(t, n)
		wantUsable(t, n, names("docker.io/library/app", "1", app)...)
	})
}
