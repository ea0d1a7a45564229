package disk

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/prune"
)

// snapshotsDir is where the daemon's snapshotter has the snapshots.
func (b *bed) snapshotsDir() string {
	return filepath.Join(b.d.Root(), "io.containerd.snapshotter.v1."+b.d.Snapshotter(), "snapshots")
}

// usage is what a directory and all below it take on the disk.
func (b *bed) usage(dir string) (bytes int64) {
	b.t.Helper()
	b.must(filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err == nil {
			bytes += info.Sys().(*syscall.Stat_t).Blocks * 512
		}
		return err
	}))
	return bytes
}

// What is told of snapshots is what the disk gives back, with the directories
// that the snapshotter itself has made for each.
func TestReclaimedSnapshotsAreWhatTheDiskGivesBack(t *testing.T) {
	each(t, func(b *bed) {
		b.stop()
		before := b.usage(b.snapshotsDir())
		doc := b.prune("--format", "json").Want(b.t, programs.ExitDone).Document(b.t)
		freed := before - b.usage(b.snapshotsDir())
		if doc.Reclaimed.SnapshotBytes != freed || doc.Predicted.SnapshotBytes != freed || !doc.Verified || doc.Reclaimed.Snapshots != 6 {
			b.t.Errorf("predicted %+v, reclaimed %+v, verified %v; the disk gave back %d", doc.Predicted, doc.Reclaimed, doc.Verified, freed)
		}
	})
}

// A view has directories of its own as well, of which the snapshotter measures
// nothing.
func TestViewsAreMeasured(t *testing.T) {
	each(t, func(b *bed) {
		views, ctx := b.d.Client("default").SnapshotService(b.d.Snapshotter()), b.d.Store("default").Context(b.t.Context())
		for key, parent := range map[string]string{"shown": b.images["gone2"].ChainIDs()[0], "empty": ""} {
			_, err := views.View(ctx, key, parent)
			b.must(err)
		}
		b.stop()
		before := b.usage(b.snapshotsDir())
		doc := b.prune("--format", "json").Want(b.t, programs.ExitDone).Document(b.t)
		freed := before - b.usage(b.snapshotsDir())
		if told := doc.Reclaimed.SnapshotBytes + doc.Garbage.SnapshotBytes; told != freed || doc.Garbage.Snapshots != 2 {
			b.t.Errorf("%d bytes are reported, the disk gave back %d; garbage: %+v", told, freed, doc.Garbage)
		}
	})
}

// fileIn finds a file below a directory.
func (b *bed) fileIn(dir string) (found string) {
	b.t.Helper()
	b.must(filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			found = path
		}
		return err
	}))
	if found == "" {
		b.t.Fatalf("no file below %s", dir)
	}
	return found
}

// A snapshot with a file that not even root can remove is not counted as freed
// as far as it is still there. A check finds it, and a repair removes it once
// that is possible.
func TestUndeletableSnapshot(t *testing.T) {
	each(t, func(b *bed) {
		b.stop()
		entries, err := os.ReadDir(b.snapshotsDir())
		b.must(err)
		stuck := filepath.Join(b.snapshotsDir(), entries[len(entries)-1].Name())
		file := b.fileIn(stuck)
		b.pin(file, true)
		before := b.usage(b.snapshotsDir())
		r := b.prune("--format", "json").Want(b.t, programs.ExitFailed, "bytes are still on the disk", stuck)
		freed := before - b.usage(b.snapshotsDir())
		if doc := r.Document(b.t); doc.Reclaimed.SnapshotBytes != freed {
			b.t.Errorf("%d bytes of snapshots are reported, the disk gave back %d", doc.Reclaimed.SnapshotBytes, freed)
		}
		if _, err := os.Lstat(file); err != nil {
			b.t.Errorf("the test does not test what it is to: %v", err)
		}
		check := append([]string{"check"}, b.where()...)
		if found := run(b.t, check...).Want(b.t, programs.ExitFailed).Stdout; !strings.Contains(found, "forgotten snapshot") || !strings.Contains(found, stuck) {
			b.t.Errorf("found: %s", found)
		}
		b.pin(file, false)
		run(b.t, append(check, "--repair")...)
		if _, err := os.Lstat(stuck); !os.IsNotExist(err) {
			b.t.Errorf("it is not gone: %v", err)
		}
		b.works(b.t.Context())
	})
}

// What containerd does not know and removes on the way is told.
func TestLeftoversRemovedOnTheWay(t *testing.T) {
	each(t, func(b *bed) {
		b.stop()
		stray := filepath.Join(b.snapshotsDir(), "4711")
		b.must(os.MkdirAll(filepath.Join(stray, "fs"), 0o700), os.WriteFile(filepath.Join(stray, "fs", "file"), make([]byte, 50_000), 0o600))
		bytes := b.usage(stray)
		var usage prune.DiskUsage
		b.must(json.Unmarshal([]byte(run(b.t, append([]string{"df", "--format", "json"}, b.where()...)...).Want(b.t, programs.ExitDone).Stdout), &usage))
		if last := usage.Holders[len(usage.Holders)-1]; last.Class != prune.UnknownFiles || last.SnapshotBytes != bytes {
			b.t.Errorf("df tells of %+v", last)
		}
		doc := b.prune("--format", "json").Want(b.t, programs.ExitDone).Document(b.t)
		if doc.Garbage.Snapshots != 1 || doc.Garbage.SnapshotBytes != bytes {
			b.t.Errorf("garbage %+v, want one of %d bytes", doc.Garbage, bytes)
		}
	})
}

// A blob that was cut off, as in a power failure, gives back what is left of it.
func TestDamagedBlobIsCountedAsItIs(t *testing.T) {
	each(t, func(b *bed) {
		b.stop()
		before := b.capture()
		b.must(os.Truncate(b.d.BlobFile(b.images["gone2"].Layers[2].Blob.Desc.Digest), 0))
		doc := b.prune("--format", "json").Want(b.t, programs.ExitDone).Document(b.t)
		cut := b.images["gone2"].Layers[2].Blob.Desc.Size
		harmless(b.t, before, b.capture(), doc.Reclaimed.ContentBytes+cut)
	})
}
