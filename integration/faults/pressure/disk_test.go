package pressure

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// diskBytes is the size of the disks, which are sparse files: mkfs.xfs makes none
// that is smaller.
const diskBytes = 320 << 20

// inodes are those of an ext4: the layers of the images have some hundred files each.
const inodes = "16000"

// disk is a loop file system.
type disk struct {
	t   testing.TB
	dir string
}

// maker makes disks of a kind.
type maker struct {
	t    *testing.T
	kind string
	bin  string
}

func newMaker(t *testing.T, kind string) maker {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a disk")
	}
	part, program := parts.E2fsprogs, "mkfs.ext4"
	if kind == "xfs" {
		part, program = parts.Xfsprogs, "mkfs.xfs"
	}
	paths, err := parts.Ensure(t.Context(), part)
	if err != nil {
		t.Fatal(err)
	}
	return maker{t, kind, paths.Bin(part, program)}
}

// mount makes a disk and mounts it. Nothing is kept for root.
func (m maker) mount(image, dir string) error {
	args := []string{"-q", "-m", "0", "-b", "4096", "-N", inodes, image}
	if m.kind == "xfs" {
		args = []string{"-q", image}
	}
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		return err
	}
	return errors.Join(os.Truncate(image, diskBytes), command(m.bin, args...), os.MkdirAll(dir, 0o700), command("mount", "-o", "loop", image, dir))
}

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}

func (d disk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// space is what statfs says, after all was written.
func (d disk) space() (available, capacity, freeInodes, allInodes int64) {
	d.t.Helper()
	dir, err := os.Open(d.dir)
	d.must(err)
	d.must(errors.Join(unix.Syncfs(int(dir.Fd())), dir.Close()))
	var st unix.Statfs_t
	d.must(unix.Statfs(d.dir, &st))
	return int64(st.Bavail) * st.Bsize, int64(st.Blocks) * st.Bsize, int64(st.Ffree), int64(st.Files)
}

// percent is how much of it is in use, as the kubelet counts.
func (d disk) percent() int64 {
	available, capacity, _, _ := d.space()
	return 100 - available*100/capacity
}

// fillTo leaves so many bytes available, in blocks of somebody else.
func (d disk) fillTo(left int64) {
	d.t.Helper()
	path := filepath.Join(d.dir, "of-others")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	d.must(err)
	for range 4 { // the file system needs blocks for the file's own
		available, _, _, _ := d.space()
		info, err := f.Stat()
		d.must(err)
		now := info.Size() + available - left
		if now < info.Size() {
			d.must(f.Truncate(max(0, now)))
		} else if now > info.Size() {
			d.must(unix.Fallocate(int(f.Fd()), 0, info.Size(), now-info.Size()))
		}
	}
	d.must(f.Close())
}

// takeInodes leaves so many inodes, in empty files of somebody else.
func (d disk) takeInodes(left int64) {
	d.t.Helper()
	_, _, free, _ := d.space()
	for i := range free - left {
		d.must(os.WriteFile(filepath.Join(d.dir, fmt.Sprintf("of-others-%d", i)), nil, 0o600))
	}
}
