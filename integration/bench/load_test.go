package bench

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/registry"
)

// every is how long each worker rests between two pieces of work.
const every = 5 * time.Millisecond

// work has four workers do until ctx ends what nodes do all the time: create
// containers, write small blobs, read records, pull images. The channel is closed
// when they have ended.
func (s *stallStore) work(ctx context.Context, l *load) <-chan struct{} {
	var wg sync.WaitGroup
	var mu sync.Mutex
	repeat := func(into *[]time.Duration, do func(ctx context.Context, n int) (time.Duration, error)) {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				took, err := do(context.WithoutCancel(ctx), n)
				mu.Lock()
				if err != nil {
					l.failures++
					s.t.Log(err)
				} else {
					*into = append(*into, took)
				}
				mu.Unlock()
				rest(ctx)
			}
		})
	}
	repeat(&l.containers, s.createContainer)
	repeat(&l.blobs, s.writeBlob)
	repeat(&l.reads, s.readRecord)
	repeat(&l.pulls, s.pull)
	ended := make(chan struct{})
	go func() {
		wg.Wait()
		close(ended)
	}()
	return ended
}

func rest(ctx context.Context) {
	select {
	case <-time.After(every):
	case <-ctx.Done():
	}
}

// createContainer makes what a container needs in the usual order: a lease, a
// snapshot, a record. That it is removed again is not timed.
func (s *stallStore) createContainer(ctx context.Context, n int) (time.Duration, error) {
	id := fmt.Sprint("load-", n)
	start := time.Now()
	if err := s.store.Lease(ctx, imagestore.LeaseSpec{ID: id}); err != nil {
		return 0, err
	}
	err := s.store.Container(leases.WithLease(ctx, id), imagestore.ContainerSpec{ID: id, Of: s.base})
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	if err := s.store.RemoveContainer(ctx, id); err != nil {
		return 0, err
	}
	return took, s.store.DropLease(ctx, id, false)
}

// writeBlob commits a kilobyte, which nothing refers to.
func (s *stallStore) writeBlob(ctx context.Context, n int) (time.Duration, error) {
	data := strings.Repeat(fmt.Sprintf("%015d\n", n), 64)
	desc := ocispec.Descriptor{Digest: digest.FromString(data), Size: int64(len(data))}
	start := time.Now()
	err := content.WriteBlob(s.store.Context(ctx), s.store.Client.ContentStore(), fmt.Sprint("load-", n), strings.NewReader(data), desc)
	return time.Since(start), err
}

func (s *stallStore) readRecord(ctx context.Context, _ int) (time.Duration, error) {
	start := time.Now()
	_, err := s.store.Client.ContainerService().Get(s.store.Context(ctx), "standing")
	return time.Since(start), err
}

// pulled is how many images are pulled in turn.
const pulled = 16

// pullable serves images of three layers, as those of the store.
func (s *stallStore) pullable(t *testing.T) {
	t.Helper()
	make, tags := imagestore.New(99), map[string]*imagestore.Image{}
	for i := range pulled {
		tags[fmt.Sprint("v", i)] = make.Image(imagestore.Spec{Layers: 3})
	}
	s.host = registry.Start(t, tags).Host
}

// pull pulls and unpacks an image. That its record is removed again, if nobody has
// done that, is not timed.
func (s *stallStore) pull(ctx context.Context, n int) (time.Duration, error) {
	name := fmt.Sprintf("%s/load:v%d", s.host, n%pulled)
	hosts := docker.ConfigureDefaultRegistries(docker.WithPlainHTTP(docker.MatchLocalhost))
	ctx = s.store.Context(ctx)
	start := time.Now()
	_, err := s.store.Client.Pull(ctx, name, containerd.WithPullUnpack, containerd.WithPullSnapshotter(s.store.Snapshotter),
		containerd.WithResolver(docker.NewResolver(docker.ResolverOptions{Hosts: hosts})))
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	if err := s.store.Client.ImageService().Delete(ctx, name); err != nil && !errdefs.IsNotFound(err) {
		return 0, err
	}
	return took, nil
}
