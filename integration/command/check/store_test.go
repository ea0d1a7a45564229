package check

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// node is a daemon with a store in good order.
type node struct {
	d *daemon.Daemon
	t *testing.T
	imagestore.Store
	make    *imagestore.Builder
	stopped bool
}

// everywhere runs a test on the running and the stopped daemon of every
// version.
func everywhere(t *testing.T, test func(n *node)) {
	daemon.EachMode(t, func(t *testing.T, v parts.Part, stopped bool) {
		t.Parallel()
		// What a test plants has to stay until the check.
		d := daemon.Start(t, daemon.Options{Version: v, NoSync: true, Config: daemon.Patient})
		n := &node{d: d, t: t, Store: d.Store("default"), make: imagestore.New(1), stopped: stopped}
		n.fill()
		test(n)
	})
}

func (n *node) must(errs ...error) {
	n.t.Helper()
	for _, err := range errs {
		if err != nil {
			n.t.Fatal(err)
		}
	}
}

// fill makes a store with one of everything that is as it should be.
func (n *node) fill() {
	n.t.Helper()
	ctx := n.t.Context()
	base := n.image("docker.io/library/base:1")
	app := n.make.Image(imagestore.Spec{Name: "docker.io/library/app:1", Base: base, Layers: 1})
	index := n.make.Index(imagestore.IndexSpec{
		Name: "docker.io/library/index:1", Manifests: []*imagestore.Image{n.image("")}, Missing: []*imagestore.Image{n.image("")},
	})
	history := n.image("docker.io/library/built:1")
	other := n.In("other")
	n.must(
		n.Add(ctx, base), n.Add(ctx, app), n.Write(ctx, index), n.Add(ctx, history),
		n.NerdctlContainer(ctx, "0123456789abcdef", "app", app.Name, app),
		n.HistoryLease(ctx, "build", history),
		other.Add(ctx, base, "docker.io/library/shared:1"),
		n.Collect(ctx),
	)
}

func (n *node) image(name string) *imagestore.Image {
	return n.make.Image(imagestore.Spec{Name: name, Layers: 2, LayerBytes: 4 << 10})
}

// open opens the store as ctr-prune does; the daemon is stopped for its root.
func (n *node) open() prune.Store {
	n.t.Helper()
	if n.stopped {
		n.d.Stop()
	}
	return n.d.Open()
}

// state reads the store for the oracle.
func (n *node) state() *oracle.State {
	n.t.Helper()
	return n.d.Capture()
}
