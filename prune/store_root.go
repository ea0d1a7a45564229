package prune

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
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
	"github.com/opencontainers/go-digest"
	bolt "go.etcd.io/bbolt"
)

// rootLockTimeout is how long OpenRoot waits for another process to let go of
// the database: long enough for one that is just closing it.
const rootLockTimeout = time.Second

// RootOption changes how [OpenRoot] opens a directory.
type RootOption func(*rootConfig)

type rootConfig struct {
	lockTimeout time.Duration
}

// WithLockTimeout sets how long [OpenRoot] waits for the lock on a database
// that another process holds; the default is one second.
func WithLockTimeout(d time.Duration) RootOption {
	return func(c *rootConfig) { c.lockTimeout = d }
}

// OpenRoot opens the root directory of a containerd that does not run, usually
// /var/lib/containerd, with containerd's own packages. The database is locked
// until Close; a containerd that is started meanwhile waits for it.
//
// It never migrates the database. It looks at every file before it opens one
// for good, so that a refusal creates and changes nothing. Every error is an
// [*OpenError], or that of ctx.
func OpenRoot(ctx context.Context, dir string, opts ...RootOption) (Store, error) {
	cfg := rootConfig{lockTimeout: rootLockTimeout}
	for _, o := range opts {
		o(&cfg)
	}
	layout, err := rootFind(dir)
	if err != nil {
		return nil, err
	}
	meta, err := rootLock(ctx, layout.dir, layout.meta, cfg.lockTimeout)
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

// rootStore is a containerd root opened in this process.
type rootStore struct {
	db           *metadata.DB
	layout       rootLayout
	info         StoreInfo
	sandboxes    sandbox.Store
	guards       rootGuards
	snapshotters map[string]snapshots.Snapshotter
	close        func() error
}

var _ Store = (*rootStore)(nil)

// rootLoad puts containerd's services on top of an open database.
func rootLoad(ctx context.Context, layout rootLayout, bdb *bolt.DB) (_ *rootStore, err error) {
	version, err := rootSchema(layout, bdb)
	if err != nil {
		return nil, err
	}
	guards, err := rootSnapshotters(ctx, layout)
	if err != nil {
		return nil, err
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
	return &rootStore{
		db:     db,
		layout: layout,
		info: StoreInfo{
			Kind: StoreRoot, Location: layout.dir, ID: id, Version: rootVersion(),
			Snapshotters: slices.Sorted(maps.Keys(backends)),
		},
		sandboxes:    rootSandboxes(db, version),
		guards:       guards,
		snapshotters: db.Snapshotters(),
		// The database last: its lock is what keeps a containerd out.
		close: sync.OnceValue(func() error { return errors.Join(guards.close(), db.Close()) }),
	}, nil
}

func (s *rootStore) Info(context.Context) (StoreInfo, error) {
	info := s.info
	info.Snapshotters = slices.Clone(info.Snapshotters)
	return info, nil
}

func (s *rootStore) Namespaces(ctx context.Context) ([]string, error) {
	var names []string
	err := s.db.View(func(tx *bolt.Tx) (err error) {
		names, err = metadata.NewNamespaceStore(tx).List(ctx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list namespaces: %w", err)
	}
	slices.Sort(names)
	return names, nil
}

func (s *rootStore) DeleteNamespace(ctx context.Context, name string) error {
	return s.db.Update(func(tx *bolt.Tx) error { return metadata.NewNamespaceStore(tx).Delete(ctx, name) })
}

func (s *rootStore) Images() images.Store         { return metadata.NewImageStore(s.db) }
func (s *rootStore) Content() content.Store       { return s.db.ContentStore() }
func (s *rootStore) Containers() containers.Store { return metadata.NewContainerStore(s.db) }
func (s *rootStore) Sandboxes() sandbox.Store     { return s.sandboxes }

// Events returns nil: the lock on the database keeps others out.
func (s *rootStore) Events() events.Subscriber { return nil }

func (s *rootStore) Leases() leases.Manager {
	return rootLeases{Manager: metadata.NewLeaseManager(s.db), db: s.db, guards: s.guards}
}

// Snapshotter returns nil for a name that Info does not list.
func (s *rootStore) Snapshotter(name string) snapshots.Snapshotter {
	return s.snapshotters[name]
}

// Batch makes one database transaction of everything that fn does with the
// context it gets; a Batch inside joins it. A transaction is for one goroutine,
// and whatever fn writes without that context waits for itself forever.
func (s *rootStore) Batch(ctx context.Context, fn func(context.Context) error) error {
	if _, ok := boltutil.Transaction(ctx); ok {
		return fn(ctx)
	}
	return s.db.Update(func(tx *bolt.Tx) error {
		return fn(boltutil.WithTransaction(ctx, tx))
	})
}

func (s *rootStore) Transactional() bool { return true }

func (s *rootStore) BlobFiles(context.Context) (map[digest.Digest]struct{}, error) {
	return storeBlobFiles(s.layout.content)
}

// Abilities are those of a store whose files lie open, and that nobody runs.
func (s *rootStore) Abilities() Abilities { return Abilities{Files: s} }

// ContentDir is where the blobs are.
func (s *rootStore) ContentDir(context.Context) (string, error) { return s.layout.content, nil }

// BlobFileSize is in bytes.
func (s *rootStore) BlobFileSize(_ context.Context, dgst digest.Digest) (int64, error) {
	return storeBlobFileSize(s.layout.content, dgst)
}

// Close closes the snapshotters and the database, and lets go of its lock.
// Further calls return what the first one did.
func (s *rootStore) Close() error {
	if err := s.close(); err != nil {
		return fmt.Errorf("close the containerd root %q: %w", s.layout.dir, err)
	}
	return nil
}

// rootPath joins the parts of a plugin's directory: its type and its name.
func rootPath(dir, plugin, name string) string {
	return filepath.Join(dir, plugin+"."+name)
}
