package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Trace is where on the disk the objects are that a run may remove, and what
// lies beside them that containerd does not know. It is made before the run,
// because nobody can tell afterwards.
type Trace struct {
	// Unseen says of which snapshotters the files cannot be seen from here.
	Unseen []string
	// Blobs are the lengths of the files of blobs, in bytes, where they are not
	// what containerd lists.
	Blobs map[digest.Digest]int64

	// content is where blobs are; empty where that cannot be seen.
	content   string
	snapshots map[string]*Snapshots
	paths     map[inventory.SnapshotID]string
	leftovers []leftover
}

// leftover is an entry without a record. It may also be a snapshot or an upload
// that is being made, which has the same file under another name afterwards.
type leftover struct {
	Entry
	file        file
	snapshotter string // empty for an upload
}

// NewTrace looks for the files of objects before they are removed. Blobs that stay for
// a while can be added meanwhile.
func NewTrace(ctx context.Context, st store.Store, inv *inventory.Inventory, objects inventory.Objects) (*Trace, error) {
	t := &Trace{
		Blobs: make(map[digest.Digest]int64), snapshots: make(map[string]*Snapshots),
		paths: make(map[inventory.SnapshotID]string),
	}
	for id := range objects.Snapshots {
		if err := t.addSnapshotter(ctx, st, id.Snapshotter); err != nil {
			return nil, err
		}
	}
	for _, s := range t.snapshots {
		places := s.places()
		for id := range objects.Snapshots {
			if at, there := places[id]; there && id.Snapshotter == s.Snapshotter {
				t.paths[id] = at.path
			}
		}
	}
	files := st.Abilities().Files
	if files == nil {
		return t, nil
	}
	dir, err := files.ContentDir(ctx)
	if errdefs.IsUnavailable(err) {
		return t, nil
	}
	if err != nil {
		return nil, err
	}
	t.content = dir
	return t, errors.Join(t.AddBlobs(ctx, objects.Blobs), t.addUploads(ctx, dir, inv))
}

func (t *Trace) addSnapshotter(ctx context.Context, st store.Store, name string) error {
	if _, known := t.snapshots[name]; known || slices.Contains(t.Unseen, name) {
		return nil
	}
	s, err := ReadSnapshots(ctx, st, name)
	if errdefs.IsUnavailable(err) {
		t.Unseen = append(t.Unseen, name)
		slices.Sort(t.Unseen)
		return nil
	}
	if err != nil {
		return err
	}
	t.snapshots[name] = s
	if s.NoDatabase {
		return nil
	}
	for entry, path := range s.entries {
		if _, recorded := s.records[entry]; !recorded {
			if err := t.addLeftover(ctx, path, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *Trace) addLeftover(ctx context.Context, path, snapshotter string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return ignoreAbsent(err)
	}
	bytes, err := Weigh(ctx, path)
	if err != nil {
		return fmt.Errorf("measuring what containerd does not know: %w", err)
	}
	t.leftovers = append(t.leftovers, leftover{Entry: Entry{Path: path, Bytes: bytes}, file: fileOf(info), snapshotter: snapshotter})
	return nil
}

// AddBlobs looks at the lengths of the files of blobs, as far as they can be seen.
func (t *Trace) AddBlobs(ctx context.Context, blobs map[digest.Digest]int64) error {
	if t.content == "" {
		return nil
	}
	for dgst, bytes := range blobs {
		var info unix.Stat_t
		err := unix.Lstat(store.BlobFile(t.content, dgst), &info)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it is listed as lost
		}
		if err != nil {
			return fmt.Errorf("looking at the file of blob %s: %w", dgst, err)
		}
		if info.Size != bytes {
			t.Blobs[dgst] = info.Size
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (t *Trace) addUploads(ctx context.Context, dir string, inv *inventory.Inventory) error {
	entries, err := listUploads(dir)
	if err != nil {
		return err
	}
	for _, u := range entries {
		if isListed(inv, u.ref) {
			continue
		}
		if err := t.addLeftover(ctx, u.path, ""); err != nil {
			return err
		}
	}
	return nil
}

// Collected returns the entries that containerd did not know and that are gone.
func (t *Trace) Collected() (snapshots, uploads []Entry, err error) {
	if len(t.leftovers) == 0 {
		return nil, nil, nil
	}
	named, err := t.named()
	if err != nil {
		return nil, nil, err
	}
	for _, l := range t.leftovers {
		_, err := os.Lstat(l.Path)
		_, renamed := named[l.file]
		switch {
		case err == nil || renamed:
		case ignoreAbsent(err) != nil:
			return nil, nil, fmt.Errorf("looking again at what containerd does not know: %w", err)
		case l.snapshotter == "":
			uploads = append(uploads, l.Entry)
		default:
			snapshots = append(snapshots, l.Entry)
		}
	}
	return snapshots, uploads, nil
}

// named are the files that have a snapshot's name by now. They are looked at
// only where an entry had a temporary one.
func (t *Trace) named() (map[file]struct{}, error) {
	named := make(map[file]struct{})
	for _, s := range t.snapshots {
		if !slices.ContainsFunc(t.leftovers, func(l leftover) bool {
			return l.snapshotter == s.Snapshotter && strings.HasPrefix(filepath.Base(l.Path), temporary)
		}) {
			continue
		}
		entries, err := s.layout.entries(s.Dir)
		if err != nil {
			return nil, err
		}
		for _, path := range entries {
			info, err := os.Lstat(path)
			if err == nil {
				named[fileOf(info)] = struct{}{}
			} else if ignoreAbsent(err) != nil {
				return nil, err
			}
		}
	}
	return named, nil
}

func fileOf(info fs.FileInfo) file {
	st := info.Sys().(*syscall.Stat_t)
	return file{st.Dev, st.Ino}
}
