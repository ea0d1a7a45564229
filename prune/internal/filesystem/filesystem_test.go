package filesystem_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/prune/internal/filesystem"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// shelf is a store whose directories are names of file systems.
type shelf struct {
	store.Store
	content      string
	snapshotters map[string]string
}

func (s shelf) Info(context.Context) (store.StoreInfo, error) {
	var names []string
	for name := range s.snapshotters {
		names = append(names, name)
	}
	slices.Sort(names)
	return store.StoreInfo{Snapshotters: names}, nil
}

func (s shelf) Abilities() store.Abilities { return store.Abilities{Files: s, Dirs: s} }

func (s shelf) ContentDir(context.Context) (string, error) { return seen(s.content) }

func (s shelf) SnapshotterDir(_ context.Context, name string) (string, error) {
	return seen(s.snapshotters[name])
}

func (s shelf) BlobFileSize(context.Context, digest.Digest) (int64, error) { return 0, nil }

func seen(dir string) (string, error) {
	switch dir {
	case "":
		return "", errdefs.ErrUnavailable
	case "broken":
		return "", errors.New("containerd is gone")
	}
	return dir, nil
}

// looker says that directories with the same first letter are on one file system,
// of a capacity of so many blocks of 4 KiB.
func looker(available, free uint64) filesystem.Looker {
	return filesystem.Looker{
		Statfs: func(_ string, into *unix.Statfs_t) error {
			*into = unix.Statfs_t{Bsize: 4096, Frsize: 4096, Blocks: 1000, Bfree: available + 50, Bavail: available, Files: 200, Ffree: free}
			return nil
		},
		Stat: func(path string, into *unix.Stat_t) error {
			into.Dev = uint64(path[0])
			return nil
		},
	}
}

// Directories on one device are one file system. One that is not seen, or that tells
// nothing of the space of its snapshots, says so and hinders no other.
func TestFileSystemsOfAStore(t *testing.T) {
	s := shelf{content: "a/content", snapshotters: map[string]string{"native": "a/native", "overlayfs": "b/overlayfs", "devmapper": "a/devmapper", "stargz": ""}}
	got, err := looker(400, 20).Look(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	full := filesystem.FileSystem{CapacityBytes: 4096000, AvailableBytes: 400 * 4096, Inodes: 200, FreeInodes: 20, BlockBytes: 4096}
	one, other := full, full
	one.Path, one.Content, one.Snapshotters = "a/content", true, []string{"native"}
	other.Path, other.Snapshotters = "b/overlayfs", []string{"overlayfs"}
	want := []filesystem.FileSystem{
		one,
		{Snapshotters: []string{"devmapper"}, Unseen: "its snapshots are in a thin pool, of whose space no file system tells"},
		other,
		{Snapshotters: []string{"stargz"}, Unseen: "unavailable"},
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(filesystem.FileSystem{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got[0].UsedPercent() != 60 || got[0].UsedInodesPercent() != 90 {
		t.Errorf("%d%% and %d%% in use", got[0].UsedPercent(), got[0].UsedInodesPercent())
	}
	if _, err := looker(1, 1).Look(t.Context(), shelf{content: "broken"}); err == nil {
		t.Error("a failure is taken for a disk that is not seen")
	}
}

// By the marks of a policy, what is above a high mark has to come down to the low
// one, and what is missing of minFree has to be freed.
func TestWhatHasToBeFreed(t *testing.T) {
	sized := func(text string, bytes int64) retention.Size { return retention.Size{Bytes: bytes, Typed: text} }
	for name, c := range map[string]struct {
		marks         retention.Disk
		bytes, inodes int64
		critical      bool
	}{
		"nothing is asked":         {},
		"below the high mark":      {marks: retention.Disk{Marks: retention.Marks{High: 61, Low: 40}}},
		"at the high mark":         {marks: retention.Disk{Marks: retention.Marks{High: 60, Low: 40}}, bytes: 200 * 4096},
		"without a low mark":       {marks: retention.Disk{Marks: retention.Marks{High: 60}}, bytes: 100 * 4096},
		"only a low mark":          {marks: retention.Disk{Marks: retention.Marks{Low: 55}}, bytes: 50 * 4096},
		"at the low mark":          {marks: retention.Disk{Marks: retention.Marks{Low: 60}}},
		"inodes":                   {marks: retention.Disk{Inodes: retention.Marks{High: 85, Low: 75}}, inodes: 30},
		"too little is available":  {marks: retention.Disk{MinFree: sized("2MB", 2_000_000)}, bytes: 2_000_000 - 400*4096},
		"enough is available":      {marks: retention.Disk{MinFree: sized("1MB", 1_000_000)}},
		"critical":                 {marks: retention.Disk{Critical: 60}, critical: true},
		"below the critical mark":  {marks: retention.Disk{Critical: 61}},
		"the larger of two counts": {marks: retention.Disk{Marks: retention.Marks{High: 60, Low: 59}, MinFree: sized("2MB", 2_000_000)}, bytes: 2_000_000 - 400*4096},
	} {
		all, err := looker(400, 20).Look(t.Context(), shelf{content: "a"})
		if err != nil {
			t.Fatal(err)
		}
		p := filesystem.Measure(all, c.marks)
		if f := p.FileSystems[0]; f.NeedBytes != c.bytes || f.NeedInodes != c.inodes || p.Critical != c.critical || p.Full() != (c.bytes+c.inodes > 0) {
			t.Errorf("%s: %d bytes and %d inodes have to go, critical %v", name, f.NeedBytes, f.NeedInodes, p.Critical)
		}
	}
}

// What has to be freed to come to a mark is enough by the kubelet's formula, and one
// byte less is not.
func TestJustEnoughForAMark(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := filesystem.FileSystem{CapacityBytes: rapid.Int64Range(1, 1<<50).Draw(t, "capacity")}
		f.AvailableBytes = rapid.Int64Range(0, f.CapacityBytes).Draw(t, "available")
		low := rapid.IntRange(1, 99).Draw(t, "low")
		need := filesystem.Measure([]filesystem.FileSystem{f}, retention.Disk{Marks: retention.Marks{Low: low}}).FileSystems[0].NeedBytes
		if f.AvailableBytes += need; f.UsedPercent() > low {
			t.Fatalf("%d%% in use after %d bytes", f.UsedPercent(), need)
		}
		if f.AvailableBytes--; need > 0 && f.UsedPercent() <= low {
			t.Fatalf("%d bytes are more than has to be freed", need)
		}
	})
}

// A second look has what is still missing of what was, and no more than that.
func TestASecondLook(t *testing.T) {
	before, err := looker(400, 20).Look(t.Context(), shelf{content: "a"})
	if err != nil {
		t.Fatal(err)
	}
	before[0].NeedBytes = 100 * 4096
	for available, left := range map[uint64]int64{400: 100 * 4096, 460: 40 * 4096, 500: 0, 600: 0, 390: 110 * 4096} {
		again, err := looker(available, 10).Again(before)
		if err != nil || again[0].NeedBytes != left || again[0].NeedInodes != 0 {
			t.Errorf("with %d blocks: %d bytes are missing, %v", available, again[0].NeedBytes, err)
		}
	}
}
