package answers_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune"
)

// The totals are what the disk holds: the blob files, and the snapshots as du
// counts their folders, to the byte.
func TestUsageIsWhatTheDiskHolds(t *testing.T) {
	everywhere(t, func(n *node) {
		u := read[prune.DiskUsage](n, "df")
		var content int64
		for _, size := range n.state().Files {
			content += size
		}
		if u.Total.ContentBytes != content || len(n.state().Files) != u.Total.Blobs {
			t.Errorf("content: df says %d bytes of %d blobs, the disk has %d of %d", u.Total.ContentBytes, u.Total.Blobs, content, len(n.state().Files))
		}
		disk, folders := n.snapshotFolders()
		if folders != u.Total.Snapshots {
			t.Errorf("df says %d snapshots, the disk has %d", u.Total.Snapshots, folders)
		}
		if disk != u.Total.SnapshotBytes {
			t.Errorf("snapshots: df says %d bytes, du %d", u.Total.SnapshotBytes, disk)
		}
		n.sumsAgree(u)
	})
}

// sumsAgree checks that every object is in one class of holders, and that what
// is reclaimable is what a prune predicts.
func (n *node) sumsAgree(u prune.DiskUsage) {
	n.t.Helper()
	var sum prune.Amount
	for _, h := range u.Holders {
		sum.Blobs, sum.Snapshots, sum.TotalBytes = sum.Blobs+h.Blobs, sum.Snapshots+h.Snapshots, sum.TotalBytes+h.TotalBytes
	}
	if sum.Blobs != u.Total.Blobs || sum.Snapshots != u.Total.Snapshots || sum.TotalBytes != u.Total.TotalBytes {
		n.t.Errorf("the holders add up to %+v, the total is %+v", sum, u.Total)
	}
	plan := read[prune.Document](n, "--all", "--all-namespaces", "--dry-run")
	if u.Reclaimable != plan.Predicted {
		n.t.Errorf("reclaimable %+v, a plan predicts %+v", u.Reclaimable, plan.Predicted)
	}
	n.columnsAddUp(u, plan)
	if u.IngestBytes == 0 {
		n.t.Error("the upload is not counted")
	}
	for _, h := range u.Holders {
		if h.Class == prune.HeldByLeases && h.Blobs != len(n.pulled.Blobs()) {
			n.t.Errorf("by leases only: %+v, a pull left %d blobs; holders: %+v", h, len(n.pulled.Blobs()), u.Holders)
		}
	}
}

// columnsAddUp checks that the types, the namespaces and the images of df, and the
// images of a plan, each free as much as the plan does, and that a size is the same in
// both.
func (n *node) columnsAddUp(u prune.DiskUsage, plan prune.Document) {
	n.t.Helper()
	var sizes int64
	sums := map[string]int64{"the images of df": plan.RestBytes, "the images of a plan": plan.RestBytes}
	for _, usage := range u.Types {
		sizes += usage.SizeBytes
		sums["the types"] += usage.ReclaimableBytes
	}
	if want := u.Total.TotalBytes + u.IngestBytes; sizes != want {
		n.t.Errorf("the types have %d bytes, all have %d: %+v", sizes, want, u.Types)
	}
	for _, ns := range u.Namespaces {
		sums["the namespaces"] += ns.ReclaimableBytes
	}
	images := make(map[[2]string]int64)
	for _, image := range u.Images {
		images[[2]string{image.Namespace, image.Target.String()}] = image.TotalBytes
		sums["the images of df"] += image.ReclaimableBytes
	}
	for _, image := range plan.Images {
		sums["the images of a plan"] += image.FreesBytes
		if want := images[[2]string{image.Namespace, image.Target.String()}]; image.SizeBytes != want || image.SizeAtLeast {
			n.t.Errorf("%s has %d bytes in a plan, %d in df", image.Name, image.SizeBytes, want)
		}
	}
	for of, sum := range sums {
		if sum != plan.Predicted.TotalBytes {
			n.t.Errorf("%s add up to %d bytes, the plan frees %d", of, sum, plan.Predicted.TotalBytes)
		}
	}
}

// snapshotFolders adds up the allocated bytes of all snapshots, each inode once.
func (n *node) snapshotFolders() (bytes int64, folders int) {
	n.t.Helper()
	tops, err := filepath.Glob(filepath.Join(n.daemon.Root(), "io.containerd.snapshotter.v1."+n.daemon.Snapshotter(), "snapshots", "[0-9]*"))
	n.must(err)
	for _, top := range tops {
		seen := make(map[uint64]bool)
		n.must(filepath.WalkDir(top, func(path string, _ fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := os.Lstat(path)
			if err != nil {
				return err
			}
			if stat := info.Sys().(*syscall.Stat_t); !seen[stat.Ino] {
				seen[stat.Ino] = true
				bytes += stat.Blocks * 512
			}
			return nil
		}))
	}
	return bytes, len(tops)
}

func TestUsageSortsAndFilters(t *testing.T) {
	everywhere(t, func(n *node) {
		names := func(args ...string) string {
			return strings.Join(strings.Fields(n.run(0, append([]string{"df", "-n", "default", "--format", "{{.Name}}"}, args...)...).Stdout), " ")
		}
		if got := names("--sort", "name", "--filter", "unused=false"); got != n.used.Name {
			t.Errorf("in use: %s", got)
		}
		if got := names("--sort", "-name", "--filter", "reference=app", "--filter", "size=1B"); got != n.app.Name {
			t.Errorf("by reference: %s", got)
		}
		if got := names("--filter", "unique=1TB"); got != "" {
			t.Errorf("of a terabyte: %s", got)
		}
		if got := names("--filter", "unique!=1TB", "--sort", "size"); len(strings.Fields(got)) != 5 || !strings.HasPrefix(got, n.app.Name) {
			t.Errorf("by size: %s", got)
		}
		r := n.run(0, "df", "-v")
		n.wantText(r.Stdout, "HELD BY", "leases only", n.app.Layers[3].Desc.Digest.String(), n.daemon.Snapshotter()+"/"+n.app.ChainIDs()[0], "reclaimable")
	})
}

func TestUsageAsPage(t *testing.T) {
	everywhere(t, func(n *node) {
		page := filepath.Join(t.TempDir(), "store.html")
		n.run(0, "df", "--html", page)
		n.run(0, "--all", "--dry-run", "--html", page)
		b, err := os.ReadFile(page)
		n.must(err)
		n.wantText(string(b), "<!doctype html>", n.app.Name)
	})
}
