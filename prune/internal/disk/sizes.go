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
	own          own
	view         bool
}

// own is what an entry has beside the files that its snapshotter measured.
type own struct {
	bytes  int64
	files  uint8
	looked bool
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
	err = eachSize(ctx, dir, snapshotter, func(name string, r record, kind snapshots.Kind, usage snapshots.Usage) {
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
				s.spots[i] = spot{dir: first + uint32(sub), inodes: uint32(min(usage.Inodes, math.MaxUint32)), name: n, number: r.number, bytes: usage.Size, view: kind == snapshots.KindView}
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

// Look looks at the files of all snapshots of some namespaces, so that the other methods
// need not.
func (s *Sizes) Look(within func(namespace string) bool) {
	dirs := s.open()
	defer dirs.close()
	for i := range s.spots {
		if at := &s.spots[i]; at.dir > 0 && within(s.ids[i].Namespace) {
			s.look(at, dirs)
		}
	}
}

// Recorded are the sizes in bytes of committed snapshots, which their snapshotters have
// measured and recorded; -1 of those that have to be asked for.
func (s *Sizes) Recorded(ids []inventory.SnapshotID) []int64 {
	bytes := make([]int64, len(ids))
	dirs := s.open()
	defer dirs.close()
	next := 0 // where the next one is, usually
	for i, id := range ids {
		at := s.spotOf(id, &next)
		if at == nil || at.bytes < 0 {
			bytes[i] = -1
			continue
		}
		s.look(at, dirs)
		bytes[i] = s.with(at, at.bytes)
	}
	return bytes
}

// Inodes are those of a snapshot of which so many were measured, or whose number is
// recorded: with the directories that its snapshotter leaves out.
func (s *Sizes) Inodes(id inventory.SnapshotID, measured int64) int64 {
	at := s.found(id)
	if at == nil {
		return measured
	}
	if s.dirs[at.dir-1].whole {
		return 1
	}
	if measured == 0 {
		measured = int64(at.inodes)
	}
	return measured + int64(at.own.files)
}

// Of is the size of a snapshot in bytes, made of what its snapshotter measured:
// overlayfs leaves out its own directories, and blockfile measures the
// difference to the parent of a file that takes the whole.
func (s *Sizes) Of(id inventory.SnapshotID, measured int64) int64 {
	at := s.found(id)
	if at == nil {
		return measured
	}
	return s.with(at, measured)
}

// found is the spot of a snapshot, which was looked at; nil if its files were not found.
func (s *Sizes) found(id inventory.SnapshotID) *spot {
	at := s.spotOf(id, new(int))
	if at != nil && !at.own.looked {
		dirs := s.open()
		defer dirs.close()
		s.look(at, dirs)
	}
	return at
}

// spotOf is the spot of a snapshot, nil if its files were not found. Near is where to
// look first.
func (s *Sizes) spotOf(id inventory.SnapshotID, near *int) *spot {
	i, known := *near, *near < len(s.ids) && s.ids[*near] == id
	if !known {
		i, known = slices.BinarySearchFunc(s.ids, id, inventory.CompareSnapshotIDs)
	}
	*near = i + 1
	if !known || s.spots[i].dir == 0 {
		return nil
	}
	return &s.spots[i]
}

func (s *Sizes) with(at *spot, measured int64) int64 {
	if s.dirs[at.dir-1].whole && at.own.bytes > 0 {
		return at.own.bytes
	}
	return measured + at.own.bytes
}

// look finds what an entry has of its own.
func (s *Sizes) look(at *spot, dirs opened) {
	if at.own.looked {
		return
	}
	at.own.looked = true
	name := strconv.FormatUint(at.name, 10)
	for _, below := range s.dirs[at.dir-1].ownPaths(at.view) {
		var info unix.Stat_t
		if err := unix.Fstatat(dirs[at.dir-1], name+below, &info, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return // it is gone, or there is none: nor is there anything below it
		}
		at.own.bytes += info.Blocks * blockSize
		at.own.files++
		if info.Nlink == noSubdirectory {
			return
		}
	}
}

// noSubdirectory is the number of links of a directory which has none, on the file
// systems that count them: its own entry and its name.
const noSubdirectory = 2

// opened are the directories of snapshotters: a system call with a short path takes
// less time, and there are three of each snapshot.
type opened []int

// open opens them; of one that cannot be opened nothing is found.
func (s *Sizes) open() opened {
	dirs := make(opened, len(s.dirs))
	for i, in := range s.dirs {
		fd, err := unix.Open(in.path, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err != nil {
			fd = -1
		}
		dirs[i] = fd
	}
	return dirs
}

func (d opened) close() {
	for _, fd := range d {
		if fd >= 0 {
			_ = unix.Close(fd) // nothing was written
		}
	}
}
