package disk

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Unknown sums up what is on the disk and unknown to containerd, as far as it
// can be seen from here: snapshots, and blobs and uploads as blobs.
func Unknown(ctx context.Context, st store.Store, inv *inventory.Inventory) (sum inventory.Amount, err error) {
	for _, name := range inv.Store.Snapshotters {
		if all, err := allKnown(ctx, st, name, inv); all || errdefs.IsUnavailable(err) {
			continue
		} else if err != nil {
			return sum, err
		}
		s, err := ReadSnapshots(ctx, st, name)
		if errdefs.IsUnavailable(err) {
			continue
		}
		if err != nil {
			return sum, err
		}
		if s.NoDatabase {
			bytes, err := Weigh(ctx, s.Dir)
			if err != nil {
				return sum, fmt.Errorf("measuring the files of snapshotter %q: %w", name, err)
			}
			sum.AddSnapshot(bytes)
			continue
		}
		entries, err := s.Unknown(ctx, st, inv)
		if err != nil {
			return sum, err
		}
		for _, entry := range entries {
			sum.AddSnapshot(entry.Bytes)
		}
	}
	files := st.Abilities().Files
	if files == nil {
		return sum, nil
	}
	dir, err := files.ContentDir(ctx)
	if errdefs.IsUnavailable(err) {
		return sum, nil
	}
	if err != nil {
		return sum, err
	}
	return sum, addContent(ctx, st, dir, inv, &sum)
}

// allKnown says whether each entry of a snapshotter is a snapshot of the inventory,
// as in most stores. It keeps nothing of them.
func allKnown(ctx context.Context, st store.Store, snapshotter string, inv *inventory.Inventory) (bool, error) {
	dir, l, err := dirOf(ctx, st, snapshotter)
	if err != nil {
		return false, err
	}
	numbers, strange, err := l.numbers(dir)
	if err != nil {
		return false, unseen(snapshotter, err)
	}
	for _, some := range numbers {
		strange += len(some)
	}
	if strange == 0 {
		return true, nil
	}
	err = eachSize(ctx, dir, snapshotter, func(name string, r record, _ snapshots.Usage) {
		n, err := strconv.ParseUint(name, 10, 64)
		if err != nil || !inv.HasSnapshot(r.id) {
			return
		}
		for _, some := range numbers {
			if _, there := slices.BinarySearch(some, n); there {
				strange--
			}
		}
	})
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, unseen(snapshotter, err)
	}
	return strange == 0, nil
}

func addContent(ctx context.Context, st store.Store, dir string, inv *inventory.Inventory, sum *inventory.Amount) error {
	uploads, err := UnknownUploads(ctx, st, dir, inv)
	if err != nil {
		return err
	}
	for _, u := range uploads {
		sum.AddBlob(u.Bytes)
	}
	blobs, err := unknownBlobs(ctx, st, dir, inv)
	if err != nil {
		return err
	}
	for _, entry := range blobs {
		sum.AddBlob(entry.Bytes)
	}
	return nil
}

// unknownBlobs lists the files of blobs that no namespace has. containerd keeps
// one for as long as an upload expects it.
func unknownBlobs(ctx context.Context, st store.Store, dir string, inv *inventory.Inventory) ([]Entry, error) {
	files, err := store.ListBlobFiles(dir)
	if err != nil {
		return nil, err
	}
	for _, ns := range inv.Namespaces {
		for dgst := range ns.Blobs {
			delete(files, dgst)
		}
		for _, upload := range ns.Ingests {
			delete(files, upload.Expected)
		}
	}
	paths := make([]string, 0, len(files))
	digests := make(map[string]digest.Digest, len(files))
	for dgst := range files {
		path := store.BlobFile(dir, dgst)
		paths, digests[path] = append(paths, path), dgst
	}
	looker := BlobLooker{Store: st, Inv: inv}
	return leftBehind(ctx, paths, func(path string) (bool, error) {
		now, err := looker.Look(ctx, digests[path])
		if err != nil {
			return false, fmt.Errorf("looking again at blob %s: %w", digests[path], err)
		}
		return !now.Known && !now.Gone, nil
	})
}
