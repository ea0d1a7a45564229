package daemon

import (
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/oracle"

	containerd "github.com/containerd/containerd/v2/client"
)

type clients []*containerd.Client

// Client returns a new client of the daemon with a default namespace. It is
// closed when the test ends. After a restart take a new one: an old one may
// wait a second before it dials again.
func (d *Daemon) Client(namespace string) *containerd.Client {
	d.tb.Helper()
	c, err := containerd.New(d.Address(), containerd.WithDefaultNamespace(namespace))
	if err != nil {
		d.tb.Fatalf("connecting to %s: %v", d.Address(), err)
	}
	d.clients = append(d.clients, c)
	return c
}

// Store returns a namespace of the daemon to put images into, with a new
// client.
func (d *Daemon) Store(namespace string) imagestore.Store {
	d.tb.Helper()
	return imagestore.Store{
		Client:      d.Client(namespace),
		Namespace:   namespace,
		Snapshotter: d.Snapshotter(),
	}
}

// Capture reads the state of the daemon's store, for the oracle. That of a
// stopped daemon is read from its root: one that starts collects garbage, and so
// would hide it.
func (d *Daemon) Capture() *oracle.State {
	d.tb.Helper()
	s, err := d.capture()
	if err != nil {
		d.tb.Fatalf("capturing the state of the store: %v", err)
	}
	return s
}

func (d *Daemon) capture() (s *oracle.State, err error) {
	if !d.Running() {
		err = d.offline(func(e *imagestore.Embedded) error {
			s, err = e.Capture(d.tb.Context())
			return err
		})
		return s, err
	}
	return oracle.Capture(d.tb.Context(), oracle.Source{
		Client:       d.Client("default"),
		Root:         d.Root(),
		Snapshotters: []string{d.Snapshotter()},
	})
}
