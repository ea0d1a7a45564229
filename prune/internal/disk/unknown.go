package disk

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Unknown sums up what is on the disk and unknown to containerd, as far as it
// can be seen from here: snapshots, and blobs and uploads as blobs. Sizes are of all
// snapshots of the inventory.
func Unknown(ctx context.Context, st store.Store, inv *inventory.Inventory, sizes *Sizes) (sum inventory.Amount, err error) {
	for _, name := range inv.Store.Snapshotters {
		if sizes.OnlyThese(name) {
			continue
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
	expected := make(map[digest.Digest]bool)
	for _, ns := range inv.Namespaces {
		for _, upload := range ns.Ingests {
			expected[upload.Expected] = true
		}
	}
	var paths []string
	digests := make(map[string]digest.Digest)
	for _, dgst := range inv.Strays {
		if !expected[dgst] {
			path := store.BlobFile(dir, dgst)
			paths, digests[path] = append(paths, path), dgst
		}
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
