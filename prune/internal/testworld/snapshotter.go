package testworld

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/containerd/containerd/v2/core/mount"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
)

// memorySnapshotter keeps snapshots that have no files, so that a thousand
// stores cost seconds. Like a real one it removes no parent of a snapshot.
type memorySnapshotter struct {
	mu    sync.Mutex
	infos map[string]snapshots.Info
}

func newMemorySnapshotter() *memorySnapshotter {
	return &memorySnapshotter{infos: make(map[string]snapshots.Info)}
}

// memoryUsage is what a snapshot counts for: something, and not all the same.
func memoryUsage(key string) int64 { return 4096 * int64(1+len(key)%7) }

func (s *memorySnapshotter) get(key string) (snapshots.Info, error) {
	info, ok := s.infos[key]
	if !ok {
		return info, fmt.Errorf("snapshot %s: %w", key, errdefs.ErrNotFound)
	}
	return info, nil
}

func (s *memorySnapshotter) Stat(_ context.Context, key string) (snapshots.Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get(key)
}

func (s *memorySnapshotter) Update(_ context.Context, info snapshots.Info, _ ...string) (snapshots.Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get(info.Name)
}

func (s *memorySnapshotter) Usage(ctx context.Context, key string) (snapshots.Usage, error) {
	_, err := s.Stat(ctx, key)
	return snapshots.Usage{Size: memoryUsage(key), Inodes: 1}, err
}

func (s *memorySnapshotter) Mounts(context.Context, string) ([]mount.Mount, error) { return nil, nil }

func (s *memorySnapshotter) create(kind snapshots.Kind, key, parent string) ([]mount.Mount, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.infos[key]; ok {
		return nil, errdefs.ErrAlreadyExists
	}
	s.infos[key] = snapshots.Info{Kind: kind, Name: key, Parent: parent}
	return nil, nil
}

func (s *memorySnapshotter) Prepare(_ context.Context, key, parent string, _ ...snapshots.Opt) ([]mount.Mount, error) {
	return s.create(snapshots.KindActive, key, parent)
}

func (s *memorySnapshotter) View(_ context.Context, key, parent string, _ ...snapshots.Opt) ([]mount.Mount, error) {
	return s.create(snapshots.KindView, key, parent)
}

func (s *memorySnapshotter) Commit(_ context.Context, name, key string, _ ...snapshots.Opt) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := s.get(key)
	if err != nil {
		return err
	}
	delete(s.infos, key)
	s.infos[name] = snapshots.Info{Kind: snapshots.KindCommitted, Name: name, Parent: info.Parent}
	return nil
}

func (s *memorySnapshotter) Remove(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, info := range s.infos {
		if info.Parent == key {
			return fmt.Errorf("snapshot %s has child %s: %w", key, info.Name, errdefs.ErrFailedPrecondition)
		}
	}
	delete(s.infos, key)
	return nil
}

func (s *memorySnapshotter) Walk(ctx context.Context, fn snapshots.WalkFunc, _ ...string) error {
	s.mu.Lock()
	infos := maps.Clone(s.infos)
	s.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(infos)) {
		if err := fn(ctx, infos[key]); err != nil {
			return err
		}
	}
	return nil
}

func (s *memorySnapshotter) Close() error { return nil }
