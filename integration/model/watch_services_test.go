package model

import (
	"context"
	"fmt"
	"strings"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/opencontainers/go-digest"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

func digestOf(text string) digest.Digest { return digest.Digest(text) }

func isContentRef(key string) bool { return strings.HasPrefix(key, "containerd.io/gc.ref.content") }

func (w *watched) Namespaces(ctx context.Context) ([]string, error) {
	return watch(w, func() ([]string, error) { return w.Store.Namespaces(ctx) })
}

func (w *watched) BlobFiles(ctx context.Context) (map[digest.Digest]struct{}, error) {
	return watch(w, func() (map[digest.Digest]struct{}, error) { return w.Store.BlobFiles(ctx) })
}

func (w *watched) Images() images.Store         { return watchedImages{w.Store.Images(), w} }
func (w *watched) Content() content.Store       { return watchedContent{w.Store.Content(), w} }
func (w *watched) Containers() containers.Store { return watchedContainers{w.Store.Containers(), w} }
func (w *watched) Leases() leases.Manager       { return watchedLeases{w.Store.Leases(), w} }

func (w *watched) Snapshotter(name string) snapshots.Snapshotter {
	return watchedSnapshots{w.Store.Snapshotter(name), w}
}

type watchedImages struct {
	images.Store
	w *watched
}

func (s watchedImages) Get(ctx context.Context, name string) (images.Image, error) {
	return watch(s.w, func() (images.Image, error) { return s.Store.Get(ctx, name) })
}

func (s watchedImages) List(ctx context.Context, filters ...string) ([]images.Image, error) {
	return watch(s.w, func() ([]images.Image, error) {
		s.w.note(ctx, itImages, images.Image{})
		return s.Store.List(ctx, filters...)
	})
}

func (s watchedImages) Create(ctx context.Context, i images.Image) (images.Image, error) {
	return watch(s.w, func() (images.Image, error) {
		made, err := s.Store.Create(ctx, i)
		if err == nil {
			s.w.note(ctx, itCreates, made)
			s.w.tellOf(ctx, i.Name, images.Image{}, made)
		}
		return made, err
	})
}

// Delete is the moment of the seventh invariant.
func (s watchedImages) Delete(ctx context.Context, name string, opts ...images.DeleteOpt) error {
	return watchOnly(s.w, func() error {
		held := s.w.heldNow(ctx, name)
		was, _ := s.Store.Get(ctx, name)
		s.w.mu.Lock()
		s.w.deletes++
		s.w.mu.Unlock()
		err := s.Store.Delete(ctx, name, opts...)
		if err != nil {
			return err // it is another image by now
		}
		s.w.note(ctx, itDeletes, was)
		s.w.tellOf(ctx, name, was, images.Image{})
		if held != nil {
			s.w.see(fmt.Sprintf("%s is deleted, but: %v", name, held))
		}
		return nil
	})
}

type watchedContent struct {
	content.Store
	w *watched
}

func (s watchedContent) Walk(ctx context.Context, fn content.WalkFunc, filters ...string) error {
	return watchOnly(s.w, func() error { return s.Store.Walk(ctx, fn, filters...) })
}

func (s watchedContent) Update(ctx context.Context, i content.Info, paths ...string) (content.Info, error) {
	return watch(s.w, func() (content.Info, error) {
		if targets := s.releases(ctx, i); len(targets) > 0 {
			s.w.release(ctx, targets)
		} else {
			s.w.mu.Lock()
			s.w.unlabelled = true
			s.w.mu.Unlock()
			s.w.note(ctx, itUnlabels, images.Image{})
		}
		return s.Store.Update(ctx, i, paths...)
	})
}

// releases lists the targets that a change of a plan blob gives up.
func (s watchedContent) releases(ctx context.Context, change content.Info) (targets []digest.Digest) {
	was, err := s.Store.Info(ctx, change.Digest)
	if err != nil || was.Labels["ctr-prune/plan"] == "" {
		return nil
	}
	for key, value := range change.Labels {
		if isContentRef(key) && value == "" {
			targets = append(targets, digestOf(was.Labels[key]))
		}
	}
	return targets
}

func (s watchedContent) ListStatuses(ctx context.Context, filters ...string) ([]content.Status, error) {
	return watch(s.w, func() ([]content.Status, error) { return s.Store.ListStatuses(ctx, filters...) })
}

func (s watchedContent) Abort(ctx context.Context, ref string) error {
	return watchOnly(s.w, func() error { return s.Store.Abort(ctx, ref) })
}

func (s watchedContent) Writer(ctx context.Context, opts ...content.WriterOpt) (content.Writer, error) {
	w, err := watch(s.w, func() (content.Writer, error) { return s.Store.Writer(ctx, opts...) })
	if err != nil && w != nil {
		_ = w.Close() // a process that is gone has let go of its upload
	}
	return watchedWriter{w, s.w}, err
}

type watchedWriter struct {
	content.Writer
	w *watched
}

func (s watchedWriter) Commit(ctx context.Context, size int64, expected digest.Digest, opts ...content.Opt) error {
	return watchOnly(s.w, func() error {
		s.w.note(ctx, itHolds, images.Image{})
		return s.Writer.Commit(ctx, size, expected, opts...)
	})
}

type watchedContainers struct {
	containers.Store
	w *watched
}

func (s watchedContainers) List(ctx context.Context, filters ...string) ([]containers.Container, error) {
	return watch(s.w, func() ([]containers.Container, error) {
		s.w.note(ctx, itUsers, images.Image{})
		return s.Store.List(ctx, filters...)
	})
}

type watchedLeases struct {
	leases.Manager
	w *watched
}

func (s watchedLeases) List(ctx context.Context, filters ...string) ([]leases.Lease, error) {
	return watch(s.w, func() ([]leases.Lease, error) { return s.Manager.List(ctx, filters...) })
}

func (s watchedLeases) ListResources(ctx context.Context, l leases.Lease) ([]leases.Resource, error) {
	return watch(s.w, func() ([]leases.Resource, error) { return s.Manager.ListResources(ctx, l) })
}

func (s watchedLeases) AddResource(ctx context.Context, l leases.Lease, r leases.Resource) error {
	return watchOnly(s.w, func() error { return s.Manager.AddResource(ctx, l, r) })
}

func (s watchedLeases) Create(ctx context.Context, opts ...leases.Opt) (leases.Lease, error) {
	return watch(s.w, func() (leases.Lease, error) { return s.Manager.Create(ctx, opts...) })
}

func (s watchedLeases) Delete(ctx context.Context, l leases.Lease, opts ...leases.DeleteOpt) error {
	return watchOnly(s.w, func() error {
		s.w.mu.Lock()
		s.w.freed = s.w.freed || l.ID == ours.RunID
		s.w.mu.Unlock()
		if l.ID == ours.RunID {
			s.w.note(ctx, itFrees, images.Image{})
		}
		return s.w.m.collecting(func() error { return s.Manager.Delete(ctx, l, opts...) })
	})
}

type watchedSnapshots struct {
	snapshots.Snapshotter
	w *watched
}

func (s watchedSnapshots) Walk(ctx context.Context, fn snapshots.WalkFunc, filters ...string) error {
	return watchOnly(s.w, func() error {
		s.w.note(ctx, itLayers, images.Image{})
		return s.Snapshotter.Walk(ctx, fn, filters...)
	})
}

func (s watchedSnapshots) Usage(ctx context.Context, key string) (snapshots.Usage, error) {
	return watch(s.w, func() (snapshots.Usage, error) { return s.Snapshotter.Usage(ctx, key) })
}
