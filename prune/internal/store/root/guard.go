package root

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
)

// rootGuard stands between containerd's metadata and a snapshotter. The
// snapshotters assume that their database is intact, and panic in the middle of
// a transaction if it is not. The collection, which runs in a goroutine of the
// metadata's, would then wait forever for that transaction while it unwinds.
// The guard turns the first panic, and every call after it, into an error,
// because the lock that the transaction holds is never released.
type rootGuard struct {
	name    string
	backend snapshots.Snapshotter

	mu     sync.Mutex
	broken error
}

var (
	_ snapshots.Snapshotter = (*rootGuard)(nil)
	_ snapshots.Cleaner     = (*rootGuard)(nil)
)

// err is what the guard caught, if anything.
func (g *rootGuard) err() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.broken
}

func (g *rootGuard) usable() bool { return g.err() == nil }

// call is not for errdefs.ErrFailedPrecondition: the collection takes that for
// a snapshot that is in use, and goes on.
func (g *rootGuard) call(do func() error) (err error) {
	if err := g.err(); err != nil {
		return err
	}
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		err = fmt.Errorf("snapshotter %s: its database is damaged (%v), restore it from a backup: %w", g.name, p, errdefs.ErrDataLoss)
		g.mu.Lock()
		defer g.mu.Unlock()
		g.broken = err
	}()
	return do()
}

func (g *rootGuard) Stat(ctx context.Context, key string) (info snapshots.Info, err error) {
	err = g.call(func() (err error) { info, err = g.backend.Stat(ctx, key); return err })
	return info, err
}

func (g *rootGuard) Update(ctx context.Context, info snapshots.Info, fields ...string) (_ snapshots.Info, err error) {
	err = g.call(func() (err error) { info, err = g.backend.Update(ctx, info, fields...); return err })
	return info, err
}

func (g *rootGuard) Usage(ctx context.Context, key string) (usage snapshots.Usage, err error) {
	err = g.call(func() (err error) { usage, err = g.backend.Usage(ctx, key); return err })
	return usage, err
}

func (g *rootGuard) Mounts(ctx context.Context, key string) (mounts []mount.Mount, err error) {
	err = g.call(func() (err error) { mounts, err = g.backend.Mounts(ctx, key); return err })
	return mounts, err
}

func (g *rootGuard) Prepare(ctx context.Context, key, parent string, opts ...snapshots.Opt) (mounts []mount.Mount, err error) {
	err = g.call(func() (err error) { mounts, err = g.backend.Prepare(ctx, key, parent, opts...); return err })
	return mounts, err
}

func (g *rootGuard) View(ctx context.Context, key, parent string, opts ...snapshots.Opt) (mounts []mount.Mount, err error) {
	err = g.call(func() (err error) { mounts, err = g.backend.View(ctx, key, parent, opts...); return err })
	return mounts, err
}

func (g *rootGuard) Commit(ctx context.Context, name, key string, opts ...snapshots.Opt) error {
	return g.call(func() error { return g.backend.Commit(ctx, name, key, opts...) })
}

func (g *rootGuard) Remove(ctx context.Context, key string) error {
	return g.call(func() error { return g.backend.Remove(ctx, key) })
}

func (g *rootGuard) Walk(ctx context.Context, fn snapshots.WalkFunc, filters ...string) error {
	return g.call(func() error { return g.backend.Walk(ctx, fn, filters...) })
}

// Cleanup is part of a collection, where a snapshotter has it.
func (g *rootGuard) Cleanup(ctx context.Context) error {
	c, ok := g.backend.(snapshots.Cleaner)
	if !ok {
		return fmt.Errorf("snapshotter %s has no cleanup: %w", g.name, errdefs.ErrNotImplemented)
	}
	return g.call(func() error { return c.Cleanup(ctx) })
}

// finish commits what the collection removed if it did not get to its Cleanup.
func (g *rootGuard) finish(ctx context.Context) error {
	r, ok := g.backend.(*rootRemover)
	if !ok || !g.usable() {
		return nil
	}
	return g.call(func() error { return r.finish(ctx) })
}

// Close leaves a broken snapshotter open, because closing would wait for its
// transaction; it is closed when the process ends.
func (g *rootGuard) Close() error {
	if !g.usable() {
		return nil
	}
	return g.backend.Close()
}

// rootGuards are those of a root, by name in order.
type rootGuards []*rootGuard

func (gs rootGuards) backends() map[string]snapshots.Snapshotter {
	all := make(map[string]snapshots.Snapshotter, len(gs))
	for _, g := range gs {
		all[g.name] = g
	}
	return all
}

// err is what they caught.
func (gs rootGuards) err() error {
	var errs []error
	for _, g := range gs {
		errs = append(errs, g.err())
	}
	return errors.Join(errs...)
}

// finish does so for all of them.
func (gs rootGuards) finish(ctx context.Context) error {
	var errs []error
	for _, g := range gs {
		if err := g.finish(ctx); err != nil {
			errs = append(errs, fmt.Errorf("snapshotter %s: %w", g.name, err))
		}
	}
	return errors.Join(errs...)
}

func (gs rootGuards) close() error {
	var errs []error
	for _, g := range gs {
		if err := g.Close(); err != nil {
			errs = append(errs, fmt.Errorf("close snapshotter %s: %w", g.name, err))
		}
	}
	return errors.Join(errs...)
}
