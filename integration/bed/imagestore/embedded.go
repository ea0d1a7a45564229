package imagestore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/pkg/identifiers"
	"github.com/ctr-prune/ctr-prune/integration/oracle"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"
	"github.com/containerd/containerd/v2/plugins/snapshots/overlay"

	bolt "go.etcd.io/bbolt"
)

// Embedded is a containerd root opened, and created if need be, in this
// process. While it is open no daemon and no `--root` run can have it.
type Embedded struct {
	root        string
	snapshotter string
	client      *containerd.Client
	bolt        *bolt.DB
	db          *metadata.DB
	snapshots   snapshots.Snapshotter
}

// OpenEmbedded opens the root in dir with one snapshotter, "native" or, for
// root, "overlayfs". The folders and names are those of a daemon. A store that
// exists is not migrated: the daemon that made it can have it back.
func OpenEmbedded(ctx context.Context, dir, snapshotter string) (*Embedded, error) {
	sn, err := openSnapshotter(dir, snapshotter)
	if err != nil {
		return nil, fmt.Errorf("opening snapshotter %s: %w", snapshotter, err)
	}
	cs, err := local.NewStore(filepath.Join(dir, "io.containerd.content.v1.content"))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening the content store: %w", err), sn.Close())
	}
	exists := hasMetadata(dir)
	bdb, err := openBolt(dir)
	if err != nil {
		return nil, errors.Join(err, sn.Close())
	}
	db := metadata.NewDB(bdb, cs, map[string]snapshots.Snapshotter{snapshotter: sn})
	e := &Embedded{root: dir, snapshotter: snapshotter, bolt: bdb, db: db, snapshots: sn}
	if !exists {
		if err := db.Init(ctx); err != nil {
			return nil, errors.Join(fmt.Errorf("preparing the metadata of %s: %w", dir, err), e.Close())
		}
	}
	e.client, err = Over(embeddedServices{db}, snapshotter)
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	return e, nil
}

func openSnapshotter(dir, name string) (snapshots.Snapshotter, error) {
	home := filepath.Join(dir, "io.containerd.snapshotter.v1."+name)
	switch name {
	case "native":
		return native.NewSnapshotter(home)
	case "overlayfs":
		return overlay.NewSnapshotter(home)
	}
	return nil, fmt.Errorf("no such snapshotter here")
}

func metadataFile(root string) string {
	return filepath.Join(root, "io.containerd.metadata.v1.bolt", "meta.db")
}

func hasMetadata(root string) bool {
	_, err := os.Stat(metadataFile(root))
	return err == nil
}

func openBolt(root string) (*bolt.DB, error) {
	path := metadataFile(root)
	if err := os.MkdirAll(filepath.Dir(path), 0o711); err != nil {
		return nil, err
	}
	// NoSync: the store is made in one go; Close writes it out.
	bdb, err := bolt.Open(path, 0o644, &bolt.Options{NoFreelistSync: true, NoSync: true, Timeout: 5 * time.Second})
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return bdb, nil
}

// embeddedServices are the services on top of the database.
type embeddedServices struct{ db *metadata.DB }

func (s embeddedServices) Images() images.Store         { return metadata.NewImageStore(s.db) }
func (s embeddedServices) Content() content.Store       { return s.db.ContentStore() }
func (s embeddedServices) Containers() containers.Store { return metadata.NewContainerStore(s.db) }
func (s embeddedServices) Sandboxes() sandbox.Store     { return metadata.NewSandboxStore(s.db) }
func (s embeddedServices) Leases() leases.Manager {
	return collectingLeases{metadata.NewLeaseManager(s.db), s.db}
}
func (s embeddedServices) Snapshotter(name string) snapshots.Snapshotter {
	return s.db.Snapshotter(name)
}

// Store returns a namespace of the store.
func (e *Embedded) Store(namespace string) Store {
	return Store{Client: e.client, Namespace: namespace, Snapshotter: e.snapshotter}
}

// Client returns a client whose services run in this process. It has no
// Version, Introspection, Events or Tasks.
func (e *Embedded) Client() *containerd.Client { return e.client }

// Root is the folder that was opened.
func (e *Embedded) Root() string { return e.root }

// Close writes the store out and lets go of it.
func (e *Embedded) Close() error {
	return errors.Join(e.bolt.Sync(), e.bolt.Close(), e.snapshots.Close())
}

// collectingLeases gives the in-process manager what a daemon's does with a
// synchronous delete.
type collectingLeases struct {
	leases.Manager
	db *metadata.DB
}

func (l collectingLeases) Delete(ctx context.Context, lease leases.Lease, opts ...leases.DeleteOpt) error {
	var o leases.DeleteOptions
	for _, opt := range opts {
		if err := opt(ctx, &o); err != nil {
			return err
		}
	}
	if err := l.Manager.Delete(ctx, lease, opts...); err != nil || !o.Synchronous {
		return err
	}
	_, err := l.db.GarbageCollect(ctx)
	return err
}

// Capture reads the state of the store, for the oracle.
func (e *Embedded) Capture(ctx context.Context) (*oracle.State, error) {
	namespaces, err := e.namespaces(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing the namespaces of %s: %w", e.root, err)
	}
	return oracle.Capture(ctx, oracle.Source{
		Client:       e.client,
		Root:         e.root,
		Snapshotters: []string{e.snapshotter},
		Namespaces:   namespaces,
	})
}

// namespaces leaves out those that no client can ask for, as a damaged or forged
// database may have them.
func (e *Embedded) namespaces(ctx context.Context) (names []string, err error) {
	err = e.db.View(func(tx *bolt.Tx) error {
		names, err = metadata.NewNamespaceStore(tx).List(ctx)
		return err
	})
	names = slices.DeleteFunc(names, func(name string) bool { return identifiers.Validate(name) != nil })
	return names, err
}
