package daemon

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/errgroup"
)

// neverThere names a snapshot that nobody makes, and the digest of its name a blob
// that nobody has.
const neverThere = "ctr-prune, only to learn how long one waits to write"

// turnLabel is the field that is asked to be changed of what is not there.
const turnLabel = "labels.ctr-prune/turn"

// AwaitTurn asks containerd to change a snapshot and a blob that do not exist.
// It looks for them only with the locks that it takes to create a snapshot or to
// write a blob, which a collection holds while it removes some. As it finds
// neither, nothing is written, and nobody is told of anything.
func (s *daemonStore) AwaitTurn(ctx context.Context, snapshotter string) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		_, err := s.Snapshotter(snapshotter).Update(ctx, snapshots.Info{Name: neverThere}, turnLabel)
		return notThere("snapshot", err)
	})
	g.Go(func() error {
		_, err := s.Content().Update(ctx, content.Info{Digest: digest.FromString(neverThere)}, turnLabel)
		return notThere("blob", err)
	})
	return g.Wait()
}

func notThere(what string, err error) error {
	switch {
	case errdefs.IsNotFound(err):
		return nil
	case err == nil:
		return fmt.Errorf("a %s that nobody makes was changed: %w", what, errdefs.ErrFailedPrecondition)
	default:
		return fmt.Errorf("asking for a %s that is not there: %w", what, err)
	}
}
