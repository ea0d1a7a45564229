package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// layout is where a snapshotter keeps its snapshots below its directory
// (plugins/snapshots in containerd).
type layout struct {
	// dirs hold one entry for each snapshot, whose name is its number.
	dirs []string
	// upper is what an entry cannot do without, below it.
	upper string
	// own are what an entry has beside the files that the snapshotter measures,
	// each to be put after its path, and in the one before it.
	own []string
	// ofView are what the entry of a view has, of which the snapshotter measures nothing.
	ofView []string
	// whole says that the snapshotter measures something else than the entry.
	whole bool
	// bareViews says that a view of another snapshot has no entry: it is mounted
	// from that of the other.
	bareViews bool
	// cleans says that a collection which removes some snapshot also removes
	// the entries that have no record.
	cleans bool
}

const (
	// temporary is how the name of a snapshot begins that is being made.
	temporary = "new-"
	// removing is how the name begins of one that is being removed: native and
	// others rename it first.
	removing = "rm-"
)

// layouts are those of the snapshotters that keep snapshots in files. Others,
// as devmapper and proxies, cannot be looked at.
var layouts = map[string]layout{
	"overlayfs": {dirs: []string{"snapshots"}, upper: "fs", own: []string{"", "/work", "/work/work"}, ofView: []string{"", "/fs"}, cleans: true},
	"native":    {dirs: []string{"snapshots"}, ofView: []string{""}, bareViews: true},
	"blockfile": {dirs: []string{"snapshots"}, whole: true, bareViews: true},
	"btrfs":     {dirs: []string{"active", "view", "snapshots"}},
}

// ownPaths are those of what an entry has of its own, which is all of it where the
// snapshotter measures something else.
func (l layout) ownPaths(view bool) []string {
	switch {
	case l.whole:
		return []string{""}
	case view:
		return l.ofView
	default:
		return l.own
	}
}

// entries lists the entries of all snapshots by their names, each with its path.
func (l layout) entries(dir string) (map[string]string, error) {
	found := make(map[string]string)
	for _, sub := range l.dirs {
		path := filepath.Join(dir, sub)
		names, err := namesIn(path)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			found[name] = filepath.Join(path, name)
		}
	}
	return found, nil
}

// namesIn lists a directory that is made with the first snapshot.
func namesIn(path string) ([]string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names, err := f.Readdirnames(-1)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("listing %q: %w", path, err)
	}
	return names, nil
}

// numbers lists the entries in each of the dirs that have the name of a snapshot,
// which is a number, sorted: a million of them take little. It says how many
// others there are.
func (l layout) numbers(dir string) (all [][]uint64, others int, err error) {
	all = make([][]uint64, len(l.dirs))
	for i, sub := range l.dirs {
		names, err := namesIn(filepath.Join(dir, sub))
		if err != nil {
			return nil, 0, err
		}
		all[i] = make([]uint64, 0, len(names))
		for _, name := range names {
			n, err := strconv.ParseUint(name, 10, 64)
			if err != nil {
				others++
				continue
			}
			all[i] = append(all[i], n)
		}
		slices.Sort(all[i])
	}
	return all, others, nil
}
