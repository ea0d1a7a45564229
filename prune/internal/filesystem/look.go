package filesystem

import (
	"context"
	"fmt"
	"slices"

	"github.com/containerd/errdefs"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Looker looks at file systems. The zero value asks the system.
type Looker struct {
	Statfs func(path string, into *unix.Statfs_t) error
	Stat   func(path string, into *unix.Stat_t) error
}

// unknownSpace are the snapshotters whose snapshots are not files of the file
// system that their directory is on, or of one that tells no space of its own.
var unknownSpace = map[string]string{
	"devmapper": "its snapshots are in a thin pool, of whose space no file system tells",
	"zfs":       "its snapshots are datasets, of whose space their pool tells, and not a file system",
}

// Look finds the file systems of a store, the one with the blobs first. One that
// cannot be seen from here, or that is not certain to be the store's, says so.
func (l Looker) Look(ctx context.Context, st store.Store) ([]FileSystem, error) {
	info, err := st.Info(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for the snapshotters: %w", err)
	}
	abilities := st.Abilities()
	var all []FileSystem
	content := FileSystem{Content: true, Snapshotters: []string{}}
	if abilities.Files == nil {
		content.Unseen = "the store does not say where its files are"
	} else if content.Path, err = abilities.Files.ContentDir(ctx); err != nil {
		if err := unseen(err, &content); err != nil {
			return nil, err
		}
	}
	if all, err = l.add(all, content); err != nil {
		return nil, err
	}
	for _, name := range info.Snapshotters {
		f := FileSystem{Snapshotters: []string{name}}
		switch why, unknown := unknownSpace[name]; {
		case unknown:
			f.Unseen = why
		case abilities.Dirs == nil:
			f.Unseen = "the store does not say where its files are"
		default:
			if f.Path, err = abilities.Dirs.SnapshotterDir(ctx, name); err != nil {
				if err := unseen(err, &f); err != nil {
					return nil, err
				}
			}
		}
		if all, err = l.add(all, f); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// unseen notes that a directory is not seen; another error it returns.
func unseen(err error, f *FileSystem) error {
	if !errdefs.IsUnavailable(err) {
		return fmt.Errorf("looking for the directories of the store: %w", err)
	}
	f.Path, f.Unseen = "", err.Error()
	return nil
}

// add adds a file system, or what it holds to one that is there already.
func (l Looker) add(all []FileSystem, f FileSystem) ([]FileSystem, error) {
	if f.Unseen != "" {
		return append(all, f), nil
	}
	if err := l.fill(&f); err != nil {
		return nil, err
	}
	at := slices.IndexFunc(all, func(other FileSystem) bool { return other.Unseen == "" && other.device == f.device })
	if at < 0 {
		return append(all, f), nil
	}
	all[at].Content = all[at].Content || f.Content
	all[at].Snapshotters = append(all[at].Snapshotters, f.Snapshotters...)
	return all, nil
}

// fill asks the system.
func (l Looker) fill(f *FileSystem) error {
	statfs, lookAt := l.Statfs, l.Stat
	if statfs == nil {
		statfs, lookAt = unix.Statfs, unix.Stat
	}
	var space unix.Statfs_t
	var file unix.Stat_t
	if err := statfs(f.Path, &space); err != nil {
		return fmt.Errorf("asking for the space of the file system of %q: %w", f.Path, err)
	}
	if err := lookAt(f.Path, &file); err != nil {
		return fmt.Errorf("asking for the file system of %q: %w", f.Path, err)
	}
	unit := space.Frsize
	if unit == 0 {
		unit = space.Bsize
	}
	f.device, f.BlockBytes = file.Dev, unit
	f.CapacityBytes, f.AvailableBytes = int64(space.Blocks)*unit, int64(space.Bavail)*unit
	f.Inodes, f.FreeInodes = int64(space.Files), int64(space.Ffree)
	return nil
}

// Again returns the same file systems as they are now, with what still has to be
// freed so that as much is available as was to be.
func (l Looker) Again(before []FileSystem) ([]FileSystem, error) {
	all := slices.Clone(before)
	for i := range all {
		f := &all[i]
		if f.Unseen != "" {
			continue
		}
		bytes, inodes := f.AvailableBytes+f.NeedBytes, f.FreeInodes+f.NeedInodes
		asked := [2]bool{f.NeedBytes > 0, f.NeedInodes > 0}
		if err := l.fill(f); err != nil {
			return nil, err
		}
		if f.NeedBytes = 0; asked[0] {
			f.NeedBytes = max(0, bytes-f.AvailableBytes)
		}
		if f.NeedInodes = 0; asked[1] {
			f.NeedInodes = max(0, inodes-f.FreeInodes)
		}
	}
	return all, nil
}
