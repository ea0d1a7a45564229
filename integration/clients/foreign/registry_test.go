package foreign_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/remotes/docker"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/clients/foreign"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// rounds is how often an image goes from the registry and back.
const rounds = 12

// An image that is pulled from a registry, used and pushed back beside endless
// prunes is whole there, and what is used is whole here.
func TestRegistry(t *testing.T) {
	each(t, func(b *bench) {
		registry := foreign.StartRegistry(b.t, b.paths.Bin(parts.Registry, "docker-registry"), b.path("registry"))
		made := b.fill(registry)
		b.prune()
		stop := b.prunes()
		for i := range rounds {
			b.round(registry, made[i%len(made)], i)
		}
		stop()
		last := make([]string, 0, len(made))
		for i := rounds - len(made); i < rounds; i++ {
			last = append(last, copyOf(registry, i))
		}
		before := b.Capture()
		b.prune(last...)
		if err := oracle.CheckUntouched(before, b.Capture()); err != nil {
			b.t.Error(err)
		}
	})
}

func copyOf(r foreign.Registry, round int) string { return fmt.Sprintf("%s/copy-%d:1", r.Host, round) }

// fill pushes images to the registry: two that share layers, and one of its own.
func (b *bench) fill(r foreign.Registry) (made []*imagestore.Image) {
	b.t.Helper()
	build := imagestore.New(3)
	base := build.Image(imagestore.Spec{Name: r.Host + "/base:1", Layers: 2})
	made = []*imagestore.Image{base, build.Image(imagestore.Spec{Name: r.Host + "/app:1", Base: base, Layers: 1}), build.Image(imagestore.Spec{Name: r.Host + "/other:1", Layers: 2})}
	for _, img := range made {
		b.must(b.store.Add(b.t.Context(), img))
		b.push(b.image(img.Name), img.Name)
	}
	return made
}

func (b *bench) resolver() containerd.RemoteOpt {
	return containerd.WithResolver(docker.NewResolver(docker.ResolverOptions{Hosts: docker.ConfigureDefaultRegistries(docker.WithPlainHTTP(docker.MatchLocalhost))}))
}

func (b *bench) push(image images.Image, name string) {
	b.t.Helper()
	b.must(b.store.Client.Push(b.store.Context(b.t.Context()), name, image.Target, b.resolver()))
}

// round pulls an image, makes a container of it in place of an earlier one, and
// pushes it under another name.
func (b *bench) round(r foreign.Registry, img *imagestore.Image, i int) {
	b.t.Helper()
	ctx, done, err := b.store.Client.WithLease(b.store.Context(b.t.Context()))
	b.must(err)
	pulled, err := b.store.Client.Pull(ctx, img.Name, b.resolver(), containerd.WithPullUnpack, containerd.WithPullSnapshotter(b.Snapshotter()))
	b.must(err)
	// The container first: in containerd before 2.0 a lease holds no record.
	copied := images.Image{Name: copyOf(r, i), Target: pulled.Target()}
	b.must(b.create(ctx, fmt.Sprint("user-", i), copied))
	_, err = b.store.Client.ImageService().Create(ctx, copied)
	b.must(err, done(context.WithoutCancel(ctx)))
	if old := i - 3; old >= 0 {
		b.ended(fmt.Sprint("user-", old))
	}
	b.push(b.image(copied.Name), copied.Name)
	for _, blob := range img.Blobs() {
		if blob.Desc.Digest != img.Target.Digest { // which is no blob there
			b.must(r.CheckBlob(b.t.Context(), fmt.Sprint("copy-", i), blob.Desc.Digest))
		}
	}
}

// prunes removes all that is unused, again and again, until it is stopped.
func (b *bench) prunes() (stop func()) {
	ctx, cancel := context.WithCancel(b.t.Context())
	var runs sync.WaitGroup
	count := 0
	runs.Go(func() {
		for ; ctx.Err() == nil; count++ {
			result := programs.Run(b.t, nil, command, "--all", "--force", "--address", b.Address())
			// A delete of this containerd's cannot be conditional, and what was pulled at that
			// moment is told to be pulled again.
			lost := b.Version() == parts.Containerd17 && strings.Contains(result.Stderr, "was updated at the moment of its deletion")
			if result.Code != 0 && !lost {
				b.t.Errorf("prune %d: exit code %d:\n%s", count, result.Code, result.Stderr)
			}
		}
	})
	return func() {
		cancel()
		runs.Wait()
		b.t.Logf("%d prunes", count)
	}
}
