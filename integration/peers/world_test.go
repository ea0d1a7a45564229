package peers

import (
	"fmt"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/clients/cri"
	"github.com/ctr-prune/ctr-prune/integration/clients/docker"
	"github.com/ctr-prune/ctr-prune/prune"
)

// world is a store as one kind of client fills it: images that share layers,
// some in use, each by a way of that client's to name an image, and one that
// build history holds.
type world struct {
	title, namespace string
	options          func(testing.TB) daemon.Options
	// names are the records of an image.
	names func(i int, img *imagestore.Image) []string
	// more adds to the stopped store what else the client has.
	more func(*testing.T, imagestore.Store)
	// furnish starts what runs on the store and makes the containers.
	furnish  func(*testing.T, *scene)
	programs []program
}

// stock is a store to copy, and what is in it.
type stock struct {
	*daemon.Daemon
	images []*imagestore.Image
}

// scene is a copy that can be pruned.
type scene struct {
	*daemon.Daemon
	world
	images []*imagestore.Image
	// next is the first image that nothing uses yet.
	next int
	used []use
	// engine and node are Docker's and CRI's, where there are any.
	engine *docker.Engine
	node   *cri.Node
	// logged is how long the log was before the run.
	logged int
}

// use is an image in use.
type use struct {
	how string
	img *imagestore.Image
}

// Sizes of the stores. A twentieth of the images is in use in the usual way.
const (
	sharing    = 10 // images that share layers
	shared     = 3  // layers that they share
	own        = 2  // layers of each image's own
	layerBytes = 4 << 10
	usual      = 20
)

func named(i int, _ *imagestore.Image) []string { return []string{tag(i)} }

func tag(i int) string { return fmt.Sprintf("registry.example/app-%05d:1", i) }

func (w world) fill(t *testing.T, n int) stock {
	t.Helper()
	opts := w.options(t)
	opts.Dir = *dir
	s := stock{Daemon: daemon.Start(t, opts)}
	if w.namespace == docker.Namespace {
		s.Expect(prune.ProblemUnreadable) // the Engine runs on the copies only
	}
	b := imagestore.New(uint64(n))
	s.Stop()
	s.Offline(func(e *imagestore.Embedded) error {
		store := e.Store(w.namespace)
		var base *imagestore.Image
		for i := range n {
			if i%sharing == 0 {
				base = b.Image(imagestore.Spec{Layers: shared, LayerBytes: layerBytes})
			}
			img := b.Image(imagestore.Spec{Base: base, Layers: own, LayerBytes: layerBytes})
			if err := store.Add(t.Context(), img, w.names(i, img)...); err != nil {
				return err
			}
			s.images = append(s.images, img)
		}
		if w.more != nil {
			w.more(t, store)
		}
		return store.HistoryLease(t.Context(), "build", s.images[n-1])
	})
	return s
}

// copy makes a scene; traced lets containerd write a log of its collections.
func (w world) copy(t *testing.T, template stock, traced bool) *scene {
	t.Helper()
	s := &scene{Daemon: template.Clone(t), world: w, images: template.images}
	if traced {
		s.Restart(func(o *daemon.Options) { o.LogLevel = "trace" })
	}
	w.furnish(t, s)
	s.must(t, s.Store(w.namespace).Collect(t.Context()))
	return s
}

// take returns the next unused image and its number, and notes how it will be
// used.
func (s *scene) take(how string) (int, *imagestore.Image) {
	i := s.next
	s.next++
	s.used = append(s.used, use{how, s.images[i]})
	return i, s.images[i]
}

// each calls do for the images that are in use in the usual way.
func (s *scene) each(how string, do func(i int, img *imagestore.Image)) {
	for range max(1, len(s.images)/usual) {
		do(s.take(how))
	}
}

// spare returns the number of an image that is used for nothing but its
// target: a name will move to it.
func (s *scene) spare() int {
	s.next++
	return s.next - 1
}

func (s *scene) must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}
