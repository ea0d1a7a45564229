package check

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/disk"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// looked is what lies in the directories of a store, as far as this process
// sees it, and why it does not see the rest.
type looked struct {
	blobs      map[digest.Digest]struct{}
	blobsErr   error
	snapshots  []*disk.Snapshots
	unseenErrs map[string]error
}

// look lists the files of a store. An error is one that says more than that
// they cannot be seen.
func look(ctx context.Context, st store.Store) (looked, error) {
	l := looked{unseenErrs: make(map[string]error)}
	l.blobs, l.blobsErr = st.BlobFiles(ctx)
	if l.blobsErr != nil && !errdefs.IsUnavailable(l.blobsErr) {
		return l, fmt.Errorf("listing the blobs on disk: %w", l.blobsErr)
	}
	info, err := st.Info(ctx)
	if err != nil {
		return l, err
	}
	for _, name := range info.Snapshotters {
		s, err := disk.ReadSnapshots(ctx, st, name)
		switch {
		case err == nil:
			l.snapshots = append(l.snapshots, s)
		case errdefs.IsUnavailable(err):
			l.unseenErrs[name] = err
		default:
			return l, err
		}
	}
	return l, nil
}

// unseen says what was not looked at. A snapshotter that has no snapshots has
// nothing to look at.
func (l looked) unseen(inv *inventory.Inventory) []cause.Cause {
	var unseen []cause.Cause
	if l.blobsErr != nil {
		unseen = append(unseen, cause.Because(cause.CodeBlobsUnseen, cause.Parts{Detail: l.blobsErr.Error()}))
	}
	for _, name := range slices.Sorted(maps.Keys(l.unseenErrs)) {
		if len(inv.SnapshotsOf(name)) > 0 {
			unseen = append(unseen, cause.Because(cause.CodeSnapshotsUnseen, cause.Parts{Name: name, Detail: l.unseenErrs[name].Error()}))
		}
	}
	return unseen
}

// files finds what is on the disk and unknown to containerd, and snapshots that
// are not on the disk.
func (k *Checker) files(ctx context.Context, st store.Store, l looked) error {
	var errs []error
	for _, s := range l.snapshots {
		if s.NoDatabase {
			errs = append(errs, k.lostDatabase(ctx, s))
			continue
		}
		errs = append(errs, k.unknownSnapshots(ctx, st, s), k.lostSnapshots(ctx, st, s))
	}
	return errors.Join(append(errs, k.unknownUploads(ctx, st))...)
}

// lostDatabase finds a snapshotter that has lost its database, so that nobody
// knows what its files are.
func (k *Checker) lostDatabase(ctx context.Context, s *disk.Snapshots) error {
	bytes, err := disk.Weigh(ctx, s.Dir)
	k.add(Finding{Problem: ProblemLostDatabase, Object: s.Database(), Bytes: bytes, Snapshotters: []string{s.Snapshotter}})
	return err
}

func (k *Checker) unknownSnapshots(ctx context.Context, st store.Store, s *disk.Snapshots) error {
	found, err := s.Unknown(ctx, st, k.Inv)
	for _, entry := range found {
		f := Finding{Problem: ProblemForgottenFiles, Object: entry.Path, Bytes: entry.Bytes, Snapshotters: []string{s.Snapshotter}}
		if !s.Cleans(entry) {
			f.Fix = removal(entry.Path)
		}
		k.add(f)
	}
	return err
}

func (k *Checker) unknownUploads(ctx context.Context, st store.Store) error {
	files := st.Abilities().Files
	if files == nil {
		return nil
	}
	dir, err := files.ContentDir(ctx)
	if errdefs.IsUnavailable(err) {
		return nil // said with the blobs
	}
	if err != nil {
		return err
	}
	found, err := disk.UnknownUploads(ctx, st, dir, k.Inv)
	for _, u := range found {
		f := Finding{Problem: ProblemForgottenUpload, Object: u.Path, Bytes: u.Bytes}
		if !u.Cleans {
			f.Fix = removal(u.Path)
		}
		k.add(f)
	}
	return err
}

// removal is the command for what containerd never removes by itself.
func removal(path string) string {
	return "stop containerd, then: rm -r " + cause.ShellQuote(path)
}

func (k *Checker) lostSnapshots(ctx context.Context, st store.Store, s *disk.Snapshots) error {
	found, err := s.Lost(ctx, st, k.Inv)
	for _, id := range found {
		k.add(Finding{
			Problem: ProblemLostSnapshot, Namespace: id.Namespace, Object: id.SnapshotKey.String(),
			Snapshotters: []string{s.Snapshotter},
			Fix: fmt.Sprintf("remove the containers and snapshots that are based on it, then: CONTAINERD_SNAPSHOTTER=%s ctr -n %s snapshots rm %s; it is unpacked again when needed",
				id.Snapshotter, id.Namespace, id.Key),
		})
	}
	return err
}
