package answers_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/containerd/v2/core/leases"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// Files that a running container makes and removes while containerd walks them
// for a size fail no command.
func TestBusyContainer(t *testing.T) {
	t.Parallel()
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		t.Parallel()
		n := newNode(t, v, false)
		n.leased("worker")
		defer churn(t, n.upper("worker"))()
		unmeasured := 0
		for i := range 6 {
			graced := i%3 == 0
			if graced {
				n.run(0, "--all", "--force", "--grace", "1h")
			}
			for _, command := range []string{"df", "check", "leases", "runs"} {
				if strings.Contains(n.run(0, command).Stdout, "could not be measured") {
					unmeasured++
				}
			}
			if graced {
				n.run(0, "df", "--html", filepath.Join(t.TempDir(), "page.html"))
				n.run(0, "undo")
			}
		}
		t.Logf("not measured %d times", unmeasured)
	})
}

// leased makes a lease hold the snapshot of a container.
func (n *node) leased(container string) {
	n.t.Helper()
	ctx := n.t.Context()
	client := n.daemon.Client("default")
	lease, err := client.LeasesService().Create(ctx, leases.WithID("scan"))
	n.must(err)
	n.must(client.LeasesService().AddResource(ctx, lease, leases.Resource{Type: "snapshots/" + n.daemon.Snapshotter(), ID: container}))
}

// upper is the folder that a container writes to.
func (n *node) upper(container string) string {
	n.t.Helper()
	mounts, err := n.daemon.Client("default").SnapshotService(n.daemon.Snapshotter()).Mounts(n.t.Context(), container)
	n.must(err)
	for _, option := range mounts[0].Options {
		if dir, ok := strings.CutPrefix(option, "upperdir="); ok {
			return dir
		}
	}
	return mounts[0].Source
}

// churn makes and removes folders of files all the time, until it is stopped.
func churn(t *testing.T, dir string) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				if err := comeAndGo(filepath.Join(dir, fmt.Sprintf("var-%d", i))); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	return func() { cancel(); wg.Wait() }
}

func comeAndGo(dir string) error {
	for i := range 50 {
		sub := filepath.Join(dir, fmt.Sprint(i))
		if err := os.MkdirAll(sub, 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(sub, "file"), []byte("x"), 0o600); err != nil {
			return err
		}
	}
	return os.RemoveAll(dir)
}
