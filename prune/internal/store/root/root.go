package root

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/events"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/metadata"
	"github.com/containerd/containerd/v2/core/metadata/boltutil"
	"github.com/containerd/containerd/v2/core/sandbox"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"

	bolt "go.etcd.io/bbolt"
)

// rootLockTimeout is how long OpenRoot waits for another process to let go of
// the database: long enough for one that is just closing it.
const rootLockTimeout = time.Second

// RootOption changes how [OpenRoot] opens a directory.
type RootOption func(*rootConfig)

type rootConfig struct {
	lockTimeout time.Duration
	readOnly    bool
}

// WithLockTimeout sets how long [OpenRoot] waits if another process holds the
// lock on a database; the default is one second.
func WithLockTimeout(d time.Duration) RootOption {
	return func(c *rootConfig) { c.lockTimeout = d }
}

// OpenRoot opens the root directory of a stopped containerd, usually
// /var/lib/containerd, with containerd's own packages. The database is locked
// until Close; a containerd that is started meanwhile waits for the lock.
//
// It never migrates the database. It checks every file before it opens any of
// them for writing, so that nothing is created or changed if it refuses the
// directory. Every error is an *[store.OpenError], or that of ctx.
func OpenRoot(ctx context.Context, dir string, opts ...RootOption) (store.Store, error) {
	cfg := rootConfig{lockTimeout: rootLockTimeout}
	for _, o := range opts {
		o(&cfg)
	}
	layout, err := rootFind(dir, cfg.readOnly)
	if err != nil {
		return nil, err
	}
	meta, err := rootLock(ctx, layout, layout.Meta, cfg.lockTimeout)
	if err != nil {
		return nil, err
	}
	if err := rootProbe(ctx, layout, meta, cfg.lockTimeout); err != nil {
		return nil, errors.Join(err, meta.Close())
	}
	db, err := rootBolt(layout, meta)
	if err != nil {
		return nil, err
	}
	s, err := rootLoad(ctx, layout, db)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// RootStore is a containerd root opened in this process.
type RootStore struct {
	DB           *metadata.DB
	Layout       RootLayout
	About        store.StoreInfo
	SandboxStore sandbox.Store
	guards       rootGuards
	Snapshotters map[string]snapshots.Snapshotter
	Shut         func() error
}

var _ store.Store = (*RootStore)(nil)

// rootLoad puts containerd's services on top of an open database.
func rootLoad(ctx context.Context, layout RootLayout, bdb *bolt.DB) (_ *RootStore, err error) {
	version, err := rootSchema(layout, bdb)
	if err != nil {
		return nil, err
	}
	guards, err := rootSnapshotters(ctx, layout)
	if err != nil {
		return nil, err
	}
	if err := rootStrange(ctx, layout, bdb, guards.backends()); err != nil {
		return nil, errors.Join(err, guards.close())
	}
	blobs, err := rootContent(layout)
	if err != nil {
		return nil, errors.Join(err, guards.close())
	}
	id, err := rootID(layout)
	if err != nil {
		return nil, errors.Join(err, guards.close())
	}
	backends := guards.backends()
	db := metadata.NewDB(bdb, blobs, backends)
	return &RootStore{
		DB:     db,
		Layout: layout,
		About: store.StoreInfo{
			Kind: store.StoreRoot, Location: layout.Dir, ID: id, Version: RootVersion(),
			Snapshotters: slices.Sorted(maps.Keys(backends)),
		},
		SandboxStore: rootSandboxes(db, version),
		guards:       guards,
		Snapshotters: db.Snapshotters(),
		// The database last: its lock is what keeps a containerd out.
		Shut: sync.OnceValue(func() error { return errors.Join(guards.close(), db.Close()) }),
	}, nil
}

// Info is what was learned when the store was opened.
func (s *RootStore) Info(context.Context) (store.StoreInfo, error) {
	info := s.About
	info.Snapshotters = slices.Clone(info.Snapshotters)
	return info, nil
}

// Namespaces lists the namespaces in the database.
func (s *RootStore) Namespaces(ctx context.Context) ([]string, error) {
	var names []string
	err := s.DB.View(func(tx *bolt.Tx) (err error) {
		names, err = metadata.NewNamespaceStore(tx).List(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

// DeleteNamespace deletes a namespace from the database.
func (s *RootStore) DeleteNamespace(ctx context.Context, name string) error {
	return s.DB.Update(func(tx *bolt.Tx) error { return metadata.NewNamespaceStore(tx).Delete(ctx, name) })
}

// Images is the image service on the database.
func (s *RootStore) Images() images.Store { return metadata.NewImageStore(s.DB) }

// Content is the content service on the database and the content store.
func (s *RootStore) Content() content.Store { return s.DB.ContentStore() }

// Containers is the container service on the database.
func (s *RootStore) Containers() containers.Store { return metadata.NewContainerStore(s.DB) }

// Sandboxes is the sandbox service of the database's version.
func (s *RootStore) Sandboxes() sandbox.Store { return s.SandboxStore }

// Events returns nil: the lock on the database keeps others out.
func (s *RootStore) Events() events.Subscriber { return nil }

// Leases is the lease service. Its synchronous deletion collects in this process.
func (s *RootStore) Leases() leases.Manager {
	return rootLeases{Manager: metadata.NewLeaseManager(s.DB), db: s.DB, guards: s.guards}
}

// Snapshotter returns nil for a name that Info does not list.
func (s *RootStore) Snapshotter(name string) snapshots.Snapshotter {
	return s.Snapshotters[name]
}

// Batch makes one database transaction of everything that fn does with the
// context it gets; a Batch inside joins it. A transaction is for one goroutine,
// and whatever fn writes without that context waits for itself forever.
func (s *RootStore) Batch(ctx context.Context, fn func(context.Context) error) error {
	if _, ok := boltutil.Transaction(ctx); ok {
		return fn(ctx)
	}
	return s.DB.Update(func(tx *bolt.Tx) error {
		return fn(boltutil.WithTransaction(ctx, tx))
	})
}

// Transactional is true: there is one database.
func (s *RootStore) Transactional() bool { return true }

// BlobFiles lists the blobs in the directory of the content store.
func (s *RootStore) BlobFiles(context.Context) (map[digest.Digest]struct{}, error) {
	return store.ListBlobFiles(s.Layout.Content)
}

// Abilities are those of a store whose files lie open, and that nobody runs.
func (s *RootStore) Abilities() store.Abilities { return store.Abilities{Files: s, Dirs: s} }

// ContentDir is where the blobs are.
func (s *RootStore) ContentDir(context.Context) (string, error) { return s.Layout.Content, nil }

// SnapshotterDir is where a snapshotter keeps its snapshots and its database.
func (s *RootStore) SnapshotterDir(_ context.Context, name string) (string, error) {
	dir, ok := s.Layout.snapshotters[name]
	if !ok {
		return "", fmt.Errorf("snapshotter %q has no directory below %q: %w", name, s.Layout.Dir, errdefs.ErrUnavailable)
	}
	return dir, nil
}

// BlobFileSize is in bytes.
func (s *RootStore) BlobFileSize(_ context.Context, dgst digest.Digest) (int64, error) {
	return store.SizeOfBlobFile(s.Layout.Content, dgst)
}

// Close closes the snapshotters and the database, and lets go of its lock.
// Further calls return what the first one did.
func (s *RootStore) Close() error {
	if err := s.Shut(); err != nil {
		return fmt.Errorf("close the containerd root %q: %w", s.Layout.Dir, err)
	}
	return nil
}
