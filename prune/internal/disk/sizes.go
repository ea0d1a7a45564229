package disk

import (
	"context"
	"maps"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Sizes says what removing snapshots gives back.
type Sizes struct {
	layouts map[string]layout
	places  map[inventory.SnapshotID]place
}

// NewSizes looks for the files of snapshots. Of those that cannot be seen from
// here, what the snapshotter measures has to do.
func NewSizes(ctx context.Context, st store.Store, ids []inventory.SnapshotID) (*Sizes, error) {
	sizes := &Sizes{layouts: make(map[string]layout), places: make(map[inventory.SnapshotID]place)}
	for _, id := range ids {
		if _, known := sizes.layouts[id.Snapshotter]; known {
			continue
		}
		sizes.layouts[id.Snapshotter] = layouts[id.Snapshotter]
		s, err := readSnapshots(ctx, st, id.Snapshotter, true)
		if errdefs.IsUnavailable(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		maps.Copy(sizes.places, s.places())
	}
	return sizes, nil
}

// Recorded is the size in bytes of a committed snapshot, which its snapshotter
// has measured and recorded; ok is false where it has to be asked.
func (s *Sizes) Recorded(id inventory.SnapshotID) (bytes int64, ok bool) {
	at, seen := s.places[id]
	if !seen || at.bytes < 0 {
		return 0, false
	}
	return s.Of(id, at.bytes), true
}

// Of is the size of a snapshot in bytes, made of what its snapshotter measured:
// overlayfs leaves out its own directories, and blockfile measures the
// difference to the parent of a file that takes the whole.
func (s *Sizes) Of(id inventory.SnapshotID, measured int64) int64 {
	at, seen := s.places[id]
	if !seen {
		return measured
	}
	l := s.layouts[id.Snapshotter]
	if l.whole {
		if bytes := blocksOf(at.path); bytes > 0 {
			return bytes
		}
		return measured
	}
	for _, own := range l.own {
		measured += blocksOf(at.path + own)
	}
	return measured
}

// blocksOf is what a file itself takes on the disk, in bytes; 0 if it is gone.
// It is asked for each directory of each snapshot, which os.Lstat would make an
// object for.
func blocksOf(path string) int64 {
	var info unix.Stat_t
	if err := unix.Lstat(path, &info); err != nil {
		return 0
	}
	return info.Blocks * blockSize
}
