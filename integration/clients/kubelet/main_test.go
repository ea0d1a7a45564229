//go:build cluster

package kubelet_test

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/apart"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// buildTimeout bounds the first build of the parts.
const buildTimeout = 2 * time.Hour

// The tests have a machine of their own, on which a cluster is everywhere where it is on any
// node.
func TestMain(m *testing.M) {
	apart.Main(m, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
		defer cancel()
		wanted := slices.Concat(parts.Cluster(), []parts.Part{parts.Containerd24, parts.Runc, parts.Shim, parts.E2fsprogs})
		if _, err := parts.Ensure(ctx, wanted...); err != nil {
			return err
		}
		build := exec.CommandContext(ctx, "make", "--no-print-directory", "image", release)
		build.Dir = repository
		if said, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("make image: %w\n%s", err, said)
		}
		return nil
	})
}
