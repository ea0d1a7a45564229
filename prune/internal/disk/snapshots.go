package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Snapshots are what a snapshotter has on the disk.
type Snapshots struct {
	Snapshotter string
	// Dir is the directory of the snapshotter, as this process sees it.
	Dir string
	// NoDatabase says that there are snapshots, but that the database which says
	// what they are is gone.
	NoDatabase bool
	layout     layout
	records    map[string]record
	entries    map[string]string
}

// Entry is a file or directory of a snapshotter or of the content store.
type Entry struct {
	Path  string
	Bytes int64
}

// ReadSnapshots reads the records and lists the entries of a snapshotter. The
// error is errdefs.ErrUnavailable where they cannot be seen from here.
//
// Entries are listed first: one that is made meanwhile is then known by the time
// that the records are read, and its record by the time that the caller reads
// the store.
func ReadSnapshots(ctx context.Context, st store.Store, snapshotter string) (*Snapshots, error) {
	dir, l, err := dirOf(ctx, st, snapshotter)
	if err != nil {
		return nil, err
	}
	l.cleans = l.cleans || st.Transactional() // a stopped store, whose collection removes them itself
	s := &Snapshots{Snapshotter: snapshotter, Dir: dir, layout: l}
	if err := s.read(ctx); err != nil {
		return nil, unseen(snapshotter, err)
	}
	return s, nil
}

// dirOf is the directory of a snapshotter.
func dirOf(ctx context.Context, st store.Store, snapshotter string) (string, layout, error) {
	l, ok := layouts[snapshotter]
	dirs := st.Abilities().Dirs
	if !ok || dirs == nil {
		return "", l, fmt.Errorf("the files of snapshotter %q cannot be seen from here: %w", snapshotter, errdefs.ErrUnavailable)
	}
	dir, err := dirs.SnapshotterDir(ctx, snapshotter)
	if err != nil {
		return "", l, fmt.Errorf("looking for the files of snapshotter %q: %w", snapshotter, err)
	}
	return dir, l, nil
}

// unseen says why the files of a snapshotter cannot be looked at.
func unseen(snapshotter string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		err = store.Cause(errdefs.ErrUnavailable, err)
	}
	return fmt.Errorf("looking at the files of snapshotter %q: %w", snapshotter, err)
}

// Database is where the snapshotter keeps its records.
func (s *Snapshots) Database() string { return filepath.Join(s.Dir, database) }

func (s *Snapshots) read(ctx context.Context) (err error) {
	if s.entries, err = s.layout.entries(s.Dir); err != nil {
		return err
	}
	s.records, err = readRecords(ctx, s.Dir, s.Snapshotter)
	if errors.Is(err, fs.ErrNotExist) { // it is made with the first snapshot
		s.NoDatabase = len(s.entries) > 0
		return nil
	}
	return err
}

// place is where a snapshot is, with its record.
type place struct {
	record
	path string
}

// places are where the snapshots are, also those that containerd no longer
// knows. Of several records of one key the newest counts.
func (s *Snapshots) places() map[inventory.SnapshotID]place {
	places := make(map[inventory.SnapshotID]place, len(s.records))
	for name, r := range s.records {
		path, there := s.entries[name]
		if there && r.number >= places[r.id].number {
			places[r.id] = place{r, path}
		}
	}
	return places
}

// Cleans says that the snapshotter itself removes an unknown entry, at the next
// collection that removes one of its snapshots: each does so as long as it has
// the record, and some also without.
func (s *Snapshots) Cleans(e Entry) bool {
	_, recorded := s.records[filepath.Base(e.Path)]
	return recorded || s.layout.cleans
}

// Unknown lists the entries that containerd does not know, because a collection
// was killed or could not remove them: those without a record, and those whose
// record is of no snapshot of the inventory, which was read afterwards.
func (s *Snapshots) Unknown(ctx context.Context, st store.Store, inv *inventory.Inventory) ([]Entry, error) {
	var suspects []string
	for name, path := range s.entries {
		if r, recorded := s.records[name]; !recorded || !inv.HasSnapshot(r.id) {
			suspects = append(suspects, path)
		}
	}
	slices.Sort(suspects)
	var again *Snapshots
	return leftBehind(ctx, suspects, func(path string) (bool, error) {
		if again == nil {
			fresh := *s
			if err := fresh.read(ctx); err != nil {
				return false, fmt.Errorf("looking again at the files of snapshotter %q: %w", s.Snapshotter, err)
			}
			again = &fresh
		}
		return again.isUnknown(ctx, st, path)
	})
}

func (s *Snapshots) isUnknown(ctx context.Context, st store.Store, path string) (bool, error) {
	name := filepath.Base(path)
	if s.entries[name] != path {
		return false, nil // removed meanwhile
	}
	r, recorded := s.records[name]
	if !recorded {
		return true, nil
	}
	_, err := st.Snapshotter(s.Snapshotter).Stat(store.InNamespace(ctx, r.id.Namespace), r.id.Key)
	if err != nil && !errdefs.IsNotFound(err) {
		return false, fmt.Errorf("looking again at snapshot %s in namespace %q: %w", r.id.SnapshotKey, r.id.Namespace, err)
	}
	return err != nil, nil
}

// Lost lists the snapshots of the inventory whose files are not there, without
// which nothing that stands on them works: those without an entry, and those
// whose entry is empty.
func (s *Snapshots) Lost(ctx context.Context, st store.Store, inv *inventory.Inventory) ([]inventory.SnapshotID, error) {
	suspects, err := s.without(slices.DeleteFunc(inv.SnapshotsOf(s.Snapshotter), func(id inventory.SnapshotID) bool {
		return s.layout.bareViews && isView(inv.Namespace(id.Namespace).Snapshots[id.SnapshotKey])
	}))
	if err != nil || len(suspects) == 0 {
		return nil, err
	}
	again := *s // without what was made or removed meanwhile
	if err := again.read(ctx); err != nil {
		return nil, fmt.Errorf("looking again at the files of snapshotter %q: %w", s.Snapshotter, err)
	}
	if suspects, err = again.without(suspects); err != nil {
		return nil, err
	}
	var errs []error
	return slices.DeleteFunc(suspects, func(id inventory.SnapshotID) bool {
		_, err := st.Snapshotter(s.Snapshotter).Stat(store.InNamespace(ctx, id.Namespace), id.Key)
		if err != nil && !errdefs.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("looking again at snapshot %s in namespace %q: %w", id.SnapshotKey, id.Namespace, err))
		}
		return err != nil
	}), errors.Join(errs...)
}

// isView says whether a snapshot only shows another one.
func isView(s inventory.Snapshot) bool { return s.Kind == snapshots.KindView && s.Parent != "" }

// without returns those of the snapshots that have no files, sorted.
func (s *Snapshots) without(ids []inventory.SnapshotID) ([]inventory.SnapshotID, error) {
	var found []inventory.SnapshotID
	places := s.places()
	for _, id := range ids {
		if at, there := places[id]; there {
			_, err := os.Lstat(filepath.Join(at.path, s.layout.upper))
			if err == nil {
				continue
			}
			if !errors.Is(err, fs.ErrNotExist) {
				return nil, fmt.Errorf("looking at the files of snapshot %s in namespace %q: %w", id.SnapshotKey, id.Namespace, err)
			}
		}
		found = append(found, id)
	}
	slices.SortFunc(found, inventory.CompareSnapshotIDs)
	return found, nil
}
