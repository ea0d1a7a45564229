package behaviour_test

import (
	"context"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// subject is a private store that a test fills and prunes. It is the store of
// a running daemon, or of one that is stopped whenever the command runs.
type subject struct {
	daemon *daemon.Daemon
	// Store is namespace "default". It is replaced when the daemon restarts.
	imagestore.Store
	// make makes the images of the test.
	make *imagestore.Builder
	// stopped says that the command gets the root and not the socket.
	stopped bool

	t *testing.T
}

// onDaemons runs a test on a daemon of every version.
func onDaemons(t *testing.T, test func(t *testing.T, s *subject)) { on(t, test, false) }

// everywhere runs a test on the running and on the stopped daemons.
func everywhere(t *testing.T, test func(t *testing.T, s *subject)) { on(t, test, false, true) }

// onStopped runs a test on the stopped daemons of every version.
func onStopped(t *testing.T, test func(t *testing.T, s *subject)) { on(t, test, true) }

func on(t *testing.T, test func(t *testing.T, s *subject), modes ...bool) {
	t.Parallel()
	daemon.EachMode(t, func(t *testing.T, v parts.Part, stopped bool) {
		if len(modes) > 1 {
			daemon.LeaveToLong(t, v, stopped)
		}
		t.Parallel()
		test(t, newSubject(t, v, stopped))
	}, modes...)
}

func newSubject(t *testing.T, v parts.Part, stopped bool) *subject {
	t.Helper()
	d := daemon.Start(t, daemon.Options{Version: v, NoSync: true})
	return &subject{
		daemon: d, Store: d.Store("default"), make: imagestore.New(1), stopped: stopped, t: t,
	}
}

// must ends the test at the first error of its setup.
func (s *subject) must(errs ...error) {
	s.t.Helper()
	for _, err := range errs {
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *subject) ctx() context.Context { return s.t.Context() }

// image makes a small image of its own layers.
func (s *subject) image(name string, layers int) *imagestore.Image {
	return s.make.Image(imagestore.Spec{Name: name, Layers: layers, LayerBytes: 4 << 10})
}

// on makes an image of one layer on top of a base.
func (s *subject) on(base *imagestore.Image, name string) *imagestore.Image {
	return s.make.Image(imagestore.Spec{Name: name, Base: base, Layers: 1, LayerBytes: 4 << 10})
}

// add adds images to namespace "default", unpacked.
func (s *subject) add(images ...*imagestore.Image) {
	s.t.Helper()
	for _, img := range images {
		s.must(s.Add(s.ctx(), img))
	}
}

// added makes an image, adds it and returns it.
func (s *subject) added(name string, layers int) *imagestore.Image {
	s.t.Helper()
	img := s.image(name, layers)
	s.add(img)
	return img
}

// backdate makes the images' blobs look as if they had been put into the
// store a while ago.
func (s *subject) backdate(age time.Duration, images ...*imagestore.Image) {
	s.t.Helper()
	s.daemon.Offline(func(e *imagestore.Embedded) error {
		for _, img := range images {
			if err := e.Backdate(s.Namespace, time.Now().Add(-age), img.Digests()...); err != nil {
				return err
			}
		}
		return nil
	})
	s.Store = s.daemon.Store("default")
}

// ready collects what the setup left behind and, for a test of the root,
// stops the daemon.
func (s *subject) ready() {
	s.t.Helper()
	if !s.daemon.Running() {
		return
	}
	s.must(s.Collect(s.ctx()))
	if s.stopped {
		s.daemon.Stop()
	}
}

// up starts a stopped daemon again, for a test that changes its store between
// two runs.
func (s *subject) up() {
	s.t.Helper()
	if !s.daemon.Running() {
		s.daemon.Up()
		s.Store = s.daemon.Store("default")
	}
}

// where are the flags that lead the command to the store.
func (s *subject) where() []string { return s.daemon.Flags(s.stopped) }

// state reads the store for the oracle.
func (s *subject) state() *oracle.State {
	s.t.Helper()
	return s.daemon.Capture()
}
