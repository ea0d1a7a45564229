package check

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// patient keeps a daemon from collecting garbage unless it is told to, or
// something was deleted since it last did: what a test plants has to stay until
// the check.
const patient = `[plugins."io.containerd.gc.v1.scheduler"]
  mutation_threshold = 1000000
`

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
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		for _, mode := range []string{"running", "stopped"} {
			t.Run(mode, func(t *testing.T) {
				t.Parallel()
				d := daemon.Start(t, daemon.Options{Version: v, NoSync: true, Config: patient})
				n := &node{d: d, t: t, Store: d.Store("default"), make: imagestore.New(1), stopped: mode == "stopped"}
				n.fill()
				test(n)
			})
		}
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
	if !n.stopped {
		store, err := prune.Open(n.t.Context(), n.d.Address())
		n.must(err)
		return store
	}
	n.d.Stop()
	store, err := prune.OpenRoot(n.t.Context(), n.d.Root())
	n.must(err)
	return store
}

// state reads the store for the oracle.
func (n *node) state() *oracle.State {
	n.t.Helper()
	if n.d.Running() {
		return n.d.Capture()
	}
	e, err := imagestore.OpenEmbedded(n.t.Context(), n.d.Root(), n.Snapshotter)
	n.must(err)
	s, err := e.Capture(n.t.Context(), "default", "other")
	n.must(err, e.Close())
	return s
}
