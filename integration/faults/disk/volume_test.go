package disk

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
)

// volumeBytes is the size of the disks.
const volumeBytes = 64 << 20

// volume is the disk of a daemon's root.
type volume struct {
	t    *testing.T
	root string
	mkfs parts.Paths
}

// newVolume returns a disk that is not made yet.
func newVolume(t *testing.T) *volume {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can mount a disk")
	}
	paths, err := parts.Ensure(t.Context(), parts.E2fsprogs)
	if err != nil {
		t.Fatal(err)
	}
	return &volume{t: t, mkfs: paths}
}

func (v *volume) image() string { return filepath.Join(filepath.Dir(v.root), "disk.img") }

// make makes the disk and mounts it at root. Nothing is reserved for root: a
// full disk is full. What goes wrong with the disk makes it read-only.
func (v *volume) make(root string) error {
	v.root = root
	if err := os.WriteFile(v.image(), nil, 0o600); err != nil {
		return err
	}
	return errors.Join(
		os.Truncate(v.image(), volumeBytes),
		command(v.mkfs.Bin(parts.E2fsprogs, "mkfs.ext4"), "-q", "-m", "0", "-b", "1024", "-N", "8192", v.image()),
		v.mount(),
	)
}

func (v *volume) mount() error {
	return command("mount", "-o", "loop,errors=remount-ro", v.image(), v.root)
}

// remount takes the disk out, repairs it and puts it in again. The daemon must
// not run. The disk is copied for that: a process with mounts of its own that
// was started meanwhile may still have the broken file system, and the kernel
// would give that back for the same disk.
func (v *volume) remount() {
	v.t.Helper()
	v.unmount()
	v.must(command("cp", "--sparse=always", v.image(), v.image()+".new"), os.Rename(v.image()+".new", v.image()))
	err := command(v.mkfs.Bin(parts.E2fsprogs, "e2fsck"), "-fy", v.image())
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil // errors were corrected
	}
	v.must(err, v.mount())
}

// unmount waits for the files that a killed daemon has still open.
func (v *volume) unmount() {
	v.t.Helper()
	deadline := time.Now().Add(5 * time.Minute)
	for {
		err := unix.Unmount(v.root, 0)
		if err == nil {
			return
		}
		if !errors.Is(err, unix.EBUSY) || time.Now().After(deadline) {
			v.t.Fatalf("unmounting %s: %v", v.root, err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (v *volume) must(errs ...error) {
	v.t.Helper()
	if err := errors.Join(errs...); err != nil {
		v.t.Fatal(err)
	}
}

func (v *volume) filler() string { return filepath.Join(v.root, "reserved") }

// fill takes all that is free, to the last byte.
func (v *volume) fill() {
	v.t.Helper()
	f, err := os.OpenFile(v.filler(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	v.must(err)
	for size := 1 << 20; size > 0; {
		if _, err = f.Write(make([]byte, size)); errors.Is(err, syscall.ENOSPC) {
			size /= 2
			continue
		}
		v.must(err)
	}
	v.must(f.Close(), v.synced())
	var st unix.Statfs_t
	v.must(unix.Statfs(v.root, &st))
	if st.Bavail != 0 {
		v.t.Fatalf("%d blocks are still free", st.Bavail)
	}
}

func (v *volume) synced() error {
	d, err := os.Open(v.root)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(d.Fd())), d.Close())
}

// readOnly makes the kernel find an error in the file system: it takes no
// writes from then on, not even through files that are open.
func (v *volume) readOnly() {
	v.t.Helper()
	v.must(v.synced())
	path := filepath.Join("/sys/fs/ext4", filepath.Base(v.device()), "trigger_fs_error")
	v.must(os.WriteFile(path, []byte("1"), 0o200))
	if err := os.WriteFile(filepath.Join(v.root, "probe"), nil, 0o600); !errors.Is(err, syscall.EROFS) {
		v.t.Fatalf("the disk is not read-only: %v", err)
	}
}

// device is the loop device that is mounted at root.
func (v *volume) device() string {
	v.t.Helper()
	out, err := exec.Command("findmnt", "-n", "-o", "SOURCE", v.root).Output()
	v.must(err)
	return strings.TrimSpace(string(out))
}

// pull makes everything that reaches the disk fail, as if it were pulled out.
// It can be called from any goroutine.
func (v *volume) pull() error {
	d, err := os.Open(v.root)
	if err != nil {
		return err
	}
	defer d.Close()
	// EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH, of linux/ext4.h:
	// even the journal is lost.
	const shutdown, noLogFlush = 0x8004587d, 2
	flags := uint32(noLogFlush)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, d.Fd(), shutdown, uintptr(unsafe.Pointer(&flags))); errno != 0 {
		return fmt.Errorf("shutting down %s: %w", v.root, errno)
	}
	return nil
}

// pin makes a file that not even root can remove, or takes that back.
func (v *volume) pin(path string, pinned bool) {
	v.t.Helper()
	const immutable = 0x10 // FS_IMMUTABLE_FL of linux/fs.h
	f, err := os.Open(path)
	v.must(err)
	defer f.Close()
	flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
	v.must(err)
	flags &^= immutable
	if pinned {
		flags |= immutable
	}
	v.must(unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags))
}

func command(name string, args ...string) error {
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return nil
}
