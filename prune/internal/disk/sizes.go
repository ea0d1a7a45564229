package disk

import (
	"context"
	"os"
	"path/filepath"
	"syscall"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Sizes says what removing snapshots gives back.
type Sizes struct {
	layouts map[string]layout
	paths   map[inventory.SnapshotID]string
}

// NewSizes looks for the files of snapshots. Of those that cannot be seen from
// here, what the snapshotter measures has to do.
func NewSizes(ctx context.Context, st store.Store, ids []inventory.SnapshotID) (*Sizes, error) {
	sizes := &Sizes{layouts: make(map[string]layout), paths: make(map[inventory.SnapshotID]string)}
	for _, id := range ids {
		if _, known := sizes.layouts[id.Snapshotter]; known {
			continue
		}
		l := layouts[id.Snapshotter]
		sizes.layouts[id.Snapshotter] = l
		if !l.whole && len(l.own) == 0 {
			continue // what it measures is all
		}
		s, err := ReadSnapshots(ctx, st, id.Snapshotter)
		if errdefs.IsUnavailable(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for id, path := range s.Paths() {
			sizes.paths[id] = path
		}
	}
	return sizes, nil
}

// Of is the size of a snapshot in bytes, made of what its snapshotter measured:
// overlayfs leaves out its own directories, and blockfile measures the
// difference to the parent of a file that takes the whole.
func (s *Sizes) Of(id inventory.SnapshotID, measured int64) int64 {
	path, seen := s.paths[id]
	if !seen {
		return measured
	}
	l := s.layouts[id.Snapshotter]
	if l.whole {
		if bytes := blocksOf(path); bytes > 0 {
			return bytes
		}
		return measured
	}
	for _, own := range l.own {
		measured += blocksOf(filepath.Join(path, own))
	}
	return measured
}

// blocksOf is what a file itself takes on the disk, in bytes; 0 if it is gone.
func blocksOf(path string) int64 {
	info, err := os.Lstat(path)
	if err != nil {
		return 0
	}
	return info.Sys().(*syscall.Stat_t).Blocks * blockSize
}
