package read

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// defaultPluginTime is how long a snapshotter may take for one answer. A sound
// one takes milliseconds.
const defaultPluginTime = 10 * time.Second

// knownSilent divides the time for a snapshotter that has not answered before.
const knownSilent = 10

// errSilent is why a call to a snapshotter is ended.
var errSilent = errors.New("no answer in time")

// silence is the error of a snapshotter that does not answer: a program of its
// own that is dead or hangs.
type silence struct{ err error }

func (s *silence) Error() string { return s.err.Error() }
func (s *silence) Unwrap() error { return s.err }

// plugins calls the snapshotters of a store, each of which may be a program of
// its own that does not answer.
type plugins struct {
	store  store.Store
	time   time.Duration
	mu     sync.Mutex
	silent []string
}

func newPlugins(st store.Store, opts ReadOptions, before *inventory.Inventory) *plugins {
	p := &plugins{store: st, time: PluginTime(opts.PluginTime)}
	if before != nil {
		p.silent = before.Silent()
	}
	return p
}

// PluginTime is the time for an answer of a snapshotter where that is given, or
// the default.
func PluginTime(given time.Duration) time.Duration {
	return cmp.Or(given, defaultPluginTime)
}

// ask calls a snapshotter. The deadline of the call begins anew whenever
// answered is called. The error is a *silence if it does not answer.
func (p *plugins) ask(ctx context.Context, name string, call func(ctx context.Context, s snapshots.Snapshotter, answered func()) error) error {
	limit := p.limit(name)
	within, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timer := time.AfterFunc(limit, func() { cancel(errSilent) })
	defer timer.Stop()
	err := call(within, p.store.Snapshotter(name), func() { timer.Reset(limit) })
	late := context.Cause(within) == errSilent //nolint:errorlint // the very same
	if err == nil || ctx.Err() != nil || !late && !errdefs.IsUnavailable(err) {
		return err
	}
	if late {
		err = fmt.Errorf("no answer within %s", limit)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.silent, name) {
		p.silent = append(p.silent, name)
	}
	return &silence{err}
}

func (p *plugins) limit(name string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if slices.Contains(p.silent, name) {
		return p.time / knownSilent
	}
	return p.time
}

// walk lists the snapshots that a snapshotter has in the namespace of ctx.
// containerd passes the error of one that it cannot reach on here without its
// kind, so an error of no known kind is a *silence, too.
func (p *plugins) walk(ctx context.Context, name string, fn func(snapshots.Info)) error {
	err := p.ask(ctx, name, func(ctx context.Context, s snapshots.Snapshotter, answered func()) error {
		return s.Walk(ctx, func(_ context.Context, info snapshots.Info) error {
			answered()
			fn(info)
			return nil
		})
	})
	if isSilence(err) || ctx.Err() != nil || !errdefs.IsUnknown(err) {
		return err
	}
	return &silence{err}
}

func (p *plugins) stat(ctx context.Context, key inventory.SnapshotKey) (info snapshots.Info, err error) {
	err = p.ask(ctx, key.Snapshotter, func(ctx context.Context, s snapshots.Snapshotter, _ func()) (err error) {
		info, err = s.Stat(ctx, key.Key)
		return err
	})
	return info, err
}

func (p *plugins) usage(ctx context.Context, key inventory.SnapshotKey) (usage snapshots.Usage, err error) {
	err = p.ask(ctx, key.Snapshotter, func(ctx context.Context, s snapshots.Snapshotter, _ func()) (err error) {
		usage, err = s.Usage(ctx, key.Key)
		return err
	})
	return usage, err
}

// isSilence says whether an error is that of a snapshotter that does not answer.
func isSilence(err error) bool {
	var s *silence
	return errors.As(err, &s)
}
