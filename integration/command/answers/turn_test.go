package answers_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/pkg/namespaces"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// How long others have to wait for a collection is learned from a request that
// waits as they do: as long as a collection removes snapshots, which it does for
// ever if the snapshotter hangs. It changes nothing.
func TestTurn(t *testing.T) {
	t.Parallel()
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		f := newFarNode(t, v)
		store := f.daemon.Open()
		defer store.Close()
		before := f.daemon.Capture()
		for _, name := range []string{"overlayfs", "far"} {
			f.must(f.turn(t.Context(), name))
		}
		if diff := oracle.Differences(before, f.daemon.Capture()); diff != "" {
			t.Errorf("it changed the store:\n%s", diff)
		}
		back := f.hangs()
		s := f.daemon.Store("far")
		f.must(s.Client.ImageService().Delete(s.Context(t.Context()), f.far.Name))
		ended := make(chan error)
		go func() { ended <- s.Collect(t.Context()) }()
		for f.waits(t.Context(), "far") == nil {
			continue // the collection has not come to it yet
		}
		f.must(f.turn(t.Context(), "overlayfs"))
		back()
		f.must(<-ended, f.turn(t.Context(), "far"))
	})
}

// turn waits for a turn at a snapshotter.
func (f *farNode) turn(ctx context.Context, snapshotter string) error {
	store := f.daemon.Open()
	defer store.Close()
	return store.Abilities().Turns.AwaitTurn(namespaces.WithNamespace(ctx, "default"), snapshotter)
}

// waits is nil if a turn comes at once.
func (f *farNode) waits(ctx context.Context, snapshotter string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	err := f.turn(ctx, snapshotter)
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		f.t.Fatal(err)
	}
	return err
}
