package root

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/containerd/v2/core/snapshots/storage"
	"github.com/containerd/errdefs"
)

// rootMetaStore is the database of a snapshotter.
type rootMetaStore interface {
	TransactionContext(ctx context.Context, writable bool) (context.Context, storage.Transactor, error)
	WithTransaction(ctx context.Context, writable bool, fn storage.TransactionCallback) error
	Close() error
}

// rootRemover removes all snapshots of a collection in one transaction, where
// containerd's snapshotters need one for each. The collection calls Remove for
// each snapshot and then Cleanup, which commits; only when that is on the disk are
// directories removed. If the collection gives up in between, finish commits.
type rootRemover struct {
	snapshots.Snapshotter
	ms  rootMetaStore
	dir string // that of the snapshots' directories

	mu    sync.Mutex
	group *rootGroup // nil if no removal is open
}

// rootGroup are removals that are not committed yet.
type rootGroup struct {
	tx     storage.Transactor
	remove func(key string) error
	keys   []string
}

var _ snapshots.Cleaner = (*rootRemover)(nil)

func newRootRemover(sn snapshots.Snapshotter, ms rootMetaStore, dir string) *rootRemover {
	return &rootRemover{Snapshotter: sn, ms: ms, dir: filepath.Join(dir, "snapshots")}
}

// Remove takes a snapshot out of the database.
func (r *rootRemover) Remove(ctx context.Context, key string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.group == nil {
		if err := r.begin(ctx); err != nil {
			return fmt.Errorf("remove snapshot %s: %w", key, err)
		}
	}
	err := r.group.remove(key)
	switch {
	case err == nil:
		r.group.keys = append(r.group.keys, key)
		return nil
	case errdefs.IsFailedPrecondition(err), errdefs.IsNotFound(err):
		// Found out before anything was written.
	default:
		err = errors.Join(err, r.group.tx.Rollback())
		r.group = nil
	}
	return fmt.Errorf("remove snapshot %s: %w", key, err)
}

func (r *rootRemover) begin(ctx context.Context) error {
	ctx, tx, err := r.ms.TransactionContext(ctx, true)
	if err != nil {
		return err
	}
	r.group = &rootGroup{tx: tx, remove: func(key string) error {
		_, _, err := storage.Remove(ctx, key)
		return err
	}}
	return nil
}

// Cleanup commits what was removed, and then removes all directories without a
// record, also those that are left from a collection which was killed.
func (r *rootRemover) Cleanup(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.commit(ctx); err != nil {
		return err
	}
	return r.clean(ctx)
}

// finish is Cleanup if something was removed and Cleanup was not called.
func (r *rootRemover) finish(ctx context.Context) error {
	r.mu.Lock()
	open := r.group != nil
	r.mu.Unlock()
	if !open {
		return nil
	}
	return r.Cleanup(ctx)
}

// commit needs room on the disk for every page of the database that changes. If
// there is none, the snapshots are removed one by one: each needs little room, and
// its directory makes some.
func (r *rootRemover) commit(ctx context.Context) error {
	if r.group == nil {
		return nil
	}
	group := r.group
	r.group = nil
	err := group.tx.Commit()
	if err == nil {
		return nil
	}
	for _, key := range group.keys {
		if single := r.removeOne(ctx, key); single != nil {
			return fmt.Errorf("remove %d snapshots: %w; remove snapshot %s alone: %w", len(group.keys), err, key, single)
		}
	}
	return nil
}

func (r *rootRemover) removeOne(ctx context.Context, key string) error {
	var id string
	err := r.ms.WithTransaction(ctx, true, func(ctx context.Context) (err error) {
		id, _, err = storage.Remove(ctx, key)
		return err
	})
	if err != nil {
		return err
	}
	return os.RemoveAll(filepath.Join(r.dir, id))
}

// Close does not wait for a removal that nobody committed.
func (r *rootRemover) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var err error
	if r.group != nil {
		err = r.group.tx.Rollback()
		r.group = nil
	}
	return errors.Join(err, r.Snapshotter.Close())
}
