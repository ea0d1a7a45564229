package races

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// pull pulls and unpacks as a client of containerd does.
func (r *race) pull(ctx context.Context, c *containerd.Client, name string) error {
	hosts := docker.ConfigureDefaultRegistries(docker.WithPlainHTTP(docker.MatchLocalhost))
	_, err := c.Pull(ctx, name,
		containerd.WithPullUnpack, containerd.WithPullSnapshotter(r.n.Snapshotter()),
		containerd.WithResolver(docker.NewResolver(docker.ResolverOptions{Hosts: hosts})))
	if err != nil {
		return fmt.Errorf("pulling: %w", err)
	}
	return nil
}

// pulls pulls an image that nobody uses: the pruner takes it when it likes,
// but never before the pull is over.
func (r *race) pulls(ctx context.Context) error {
	s := r.store("default")
	_, name := r.pick(fmt.Sprintf("pulled-%d", r.next()%4))
	return r.pull(s.Context(ctx), s.Client, name)
}

// errUnleased is an unpack that found a snapshot of another image and built on
// it, without a lease: it fails when that image is removed, by whomever. A pull
// takes what it finds into its lease.
var errUnleased = errors.New("the unpack held no lease on what it found")

// errResumed is an import after one that a restart cut off. The list of what is
// in an archive is uploaded under the same name by each, so that containerd goes
// on with the half of another's list, and does not find the one that it read.
var errResumed = errors.New("it went on with an upload of an import that was cut off")

// imports imports an archive and unpacks it under one lease, as `ctr image
// import` does.
func (r *race) imports(ctx context.Context) error {
	s := r.store("default")
	img, name := r.pick("imported")
	err := under(s.Context(ctx), s.Client, func(ctx context.Context) error { return s.Import(ctx, img, name) })
	if errdefs.IsNotFound(err) && strings.Contains(err.Error(), "parent snapshot") {
		return fmt.Errorf("%w: %w", errUnleased, err)
	}
	if errdefs.IsNotFound(err) && r.tally.daemon.times() > 0 && !r.names(img, err) {
		return fmt.Errorf("%w: %w", errResumed, err)
	}
	return err
}

// names says whether an error is about a blob of the image.
func (r *race) names(img *imagestore.Image, err error) bool {
	return slices.ContainsFunc(img.Digests(), func(d digest.Digest) bool { return strings.Contains(err.Error(), d.String()) })
}

// under does something under a lease of the client.
func under(ctx context.Context, c *containerd.Client, do func(context.Context) error) (err error) {
	ctx, done, err := c.WithLease(ctx)
	if err != nil {
		return fmt.Errorf("leasing: %w", err)
	}
	if err := do(ctx); err != nil {
		_ = done(ctx) // it ends by itself
		return err
	}
	return done(ctx)
}
