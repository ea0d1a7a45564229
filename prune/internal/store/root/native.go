package root

import (
	"context"
	"errors"
	"path/filepath"
	"sync"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/containerd/v2/plugins/snapshots/native"
)

// rootNative is the native snapshotter. containerd's package opens the database
// itself and lets nobody else remove snapshots of it, so it gets the database only
// for what it alone can do.
type rootNative struct {
	rootReader
	dir string
	db  *rootLent
}

var _ snapshots.Snapshotter = rootNative{}

func newRootNative(dir string) (rootNative, error) {
	db := &rootLent{path: filepath.Join(dir, rootSnapshotsDB)}
	err := db.open()
	return rootNative{rootReader: newRootReader("native", dir, db), dir: dir, db: db}, err
}

// lend closes the database while do has the package's snapshotter.
func (n rootNative) lend(do func(snapshots.Snapshotter) error) error {
	return n.db.lend(func() error {
		sn, err := native.NewSnapshotter(n.dir)
		if err != nil {
			return err
		}
		return errors.Join(do(sn), sn.Close())
	})
}

func (n rootNative) Update(ctx context.Context, info snapshots.Info, fields ...string) (updated snapshots.Info, err error) {
	err = n.lend(func(sn snapshots.Snapshotter) (err error) { updated, err = sn.Update(ctx, info, fields...); return err })
	return updated, err
}

func (n rootNative) Mounts(ctx context.Context, key string) (mounts []mount.Mount, err error) {
	err = n.lend(func(sn snapshots.Snapshotter) (err error) { mounts, err = sn.Mounts(ctx, key); return err })
	return mounts, err
}

func (n rootNative) Prepare(ctx context.Context, key, parent string, opts ...snapshots.Opt) (mounts []mount.Mount, err error) {
	err = n.lend(func(sn snapshots.Snapshotter) (err error) {
		mounts, err = sn.Prepare(ctx, key, parent, opts...)
		return err
	})
	return mounts, err
}

func (n rootNative) View(ctx context.Context, key, parent string, opts ...snapshots.Opt) (mounts []mount.Mount, err error) {
	err = n.lend(func(sn snapshots.Snapshotter) (err error) {
		mounts, err = sn.View(ctx, key, parent, opts...)
		return err
	})
	return mounts, err
}

func (n rootNative) Commit(ctx context.Context, name, key string, opts ...snapshots.Opt) error {
	return n.lend(func(sn snapshots.Snapshotter) error { return sn.Commit(ctx, name, key, opts...) })
}

func (n rootNative) Remove(ctx context.Context, key string) error {
	return n.lend(func(sn snapshots.Snapshotter) error { return sn.Remove(ctx, key) })
}

// rootLent is a database that can be lent to somebody who opens it for himself.
type rootLent struct {
	path string

	mu sync.RWMutex // held for reading by each transaction
	ms *storage.MetaStore
}

var _ rootMetaStore = (*rootLent)(nil)

func (l *rootLent) open() (err error) {
	l.ms, err = newRootMetaStore(l.path)
	return err
}

// lend waits for the transactions that are open.
func (l *rootLent) lend(do func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.ms.Close(); err != nil {
		return err
	}
	return errors.Join(do(), l.open())
}

func (l *rootLent) WithTransaction(ctx context.Context, writable bool, fn storage.TransactionCallback) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.ms.WithTransaction(ctx, writable, fn)
}

func (l *rootLent) TransactionContext(ctx context.Context, writable bool) (context.Context, storage.Transactor, error) {
	l.mu.RLock()
	ctx, tx, err := l.ms.TransactionContext(ctx, writable)
	if err != nil {
		l.mu.RUnlock()
		return ctx, nil, err
	}
	return ctx, rootLentTransaction{tx, &l.mu}, nil
}

func (l *rootLent) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ms.Close()
}

// rootLentTransaction keeps the database from being lent until it ends.
type rootLentTransaction struct {
	storage.Transactor
	mu *sync.RWMutex
}

func (t rootLentTransaction) Commit() error {
	defer t.mu.RUnlock()
	return t.Transactor.Commit()
}

func (t rootLentTransaction) Rollback() error {
	defer t.mu.RUnlock()
	return t.Transactor.Rollback()
}
