package disk

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Sizes says what removing snapshots gives back.
type Sizes struct {
	ids   []inventory.SnapshotID
	spots []spot // of each of the ids
	dirs  []snapshotDir
	// strange counts, by snapshotter, the entries that are none of the snapshots.
	strange map[string]int
}

// spot is where the files of a snapshot are, and what is recorded of it. There may
// be a million, so it has no text.
type spot struct {
	dir, inodes  uint32 // dir counts from one, and is zero if there are none
	name, number uint64
	bytes        int64
}

// snapshotDir is a directory with an entry for each snapshot.
type snapshotDir struct {
	path string
	layout
}

// NewSizes looks for the files of snapshots, which are sorted. Of those that cannot
// be seen from here, what the snapshotter measures has to do.
func NewSizes(ctx context.Context, st store.Store, ids []inventory.SnapshotID) (*Sizes, error) {
	s := &Sizes{ids: ids, spots: make([]spot, len(ids)), strange: make(map[string]int)}
	known := make(map[string]bool)
	for _, id := range ids {
		if known[id.Snapshotter] {
			continue
		}
		known[id.Snapshotter] = true
		if err := s.read(ctx, st, id.Snapshotter); err != nil && !errdefs.IsUnavailable(err) {
			return nil, err
		}
	}
	return s, nil
}

// read finds the snapshots of one snapshotter. Entries are listed first, as by
// [ReadSnapshots].
func (s *Sizes) read(ctx context.Context, st store.Store, snapshotter string) error {
	dir, l, err := dirOf(ctx, st, snapshotter)
	if err != nil {
		return err
	}
	numbers, strange, err := l.numbers(dir)
	if err != nil {
		return unseen(snapshotter, err)
	}
	for _, some := range numbers {
		strange += len(some)
	}
	first := uint32(len(s.dirs)) + 1
	for _, sub := range l.dirs {
		s.dirs = append(s.dirs, snapshotDir{filepath.Join(dir, sub), l})
	}
	err = eachSize(ctx, dir, snapshotter, func(name string, r record, usage snapshots.Usage) {
		i, asked := slices.BinarySearchFunc(s.ids, r.id, inventory.CompareSnapshotIDs)
		n, err := strconv.ParseUint(name, 10, 64)
		if !asked || err != nil {
			return
		}
		for sub := range numbers {
			// Of several records of one key the newest counts that has an entry.
			if _, there := slices.BinarySearch(numbers[sub], n); !there {
				continue
			}
			strange--
			if r.number >= s.spots[i].number {
				s.spots[i] = spot{first + uint32(sub), uint32(min(usage.Inodes, math.MaxUint32)), n, r.number, usage.Size}
			}
		}
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // it is made with the first snapshot
		return unseen(snapshotter, err)
	}
	s.strange[snapshotter] = strange
	return nil
}

// OnlyThese says that each entry of a snapshotter is one of the snapshots, as in most
// stores where these are all that containerd knows.
func (s *Sizes) OnlyThese(snapshotter string) bool {
	strange, seen := s.strange[snapshotter]
	return seen && strange == 0
}

// Recorded is the size in bytes of a committed snapshot, which its snapshotter
// has measured and recorded; ok is false where it has to be asked.
func (s *Sizes) Recorded(id inventory.SnapshotID) (bytes int64, ok bool) {
	at := s.spotOf(id)
	if at.dir == 0 || at.bytes < 0 {
		return 0, false
	}
	return s.at(at, at.bytes), true
}

// Inodes are those of a snapshot of which so many were measured, or whose number is
// recorded: with the directories that its snapshotter leaves out.
func (s *Sizes) Inodes(id inventory.SnapshotID, measured int64) int64 {
	at := s.spotOf(id)
	if at.dir == 0 {
		return measured
	}
	in := s.dirs[at.dir-1]
	if in.whole {
		return 1
	}
	if measured == 0 {
		measured = int64(at.inodes)
	}
	path := in.path + "/" + strconv.FormatUint(at.name, 10)
	for _, own := range in.own {
		if blocksOf(path+own) > 0 {
			measured++
		}
	}
	return measured
}

func (s *Sizes) spotOf(id inventory.SnapshotID) spot {
	i, known := slices.BinarySearchFunc(s.ids, id, inventory.CompareSnapshotIDs)
	if !known {
		return spot{}
	}
	return s.spots[i]
}

// Of is the size of a snapshot in bytes, made of what its snapshotter measured:
// overlayfs leaves out its own directories, and blockfile measures the
// difference to the parent of a file that takes the whole.
func (s *Sizes) Of(id inventory.SnapshotID, measured int64) int64 {
	return s.at(s.spotOf(id), measured)
}

func (s *Sizes) at(at spot, measured int64) int64 {
	if at.dir == 0 {
		return measured
	}
	in := s.dirs[at.dir-1]
	path := in.path + "/" + strconv.FormatUint(at.name, 10)
	if in.whole {
		if bytes := blocksOf(path); bytes > 0 {
			return bytes
		}
		return measured
	}
	for _, own := range in.own {
		measured += blocksOf(path + own)
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
