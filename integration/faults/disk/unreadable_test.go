package disk

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// unreadable makes every read of one file fail with EIO, and returns what takes
// that back. The file is moved to the last blocks of the disk, and what is
// behind the loop device is cut off before them: the device keeps its size.
func (v *volume) unreadable(path string) (repair func()) {
	v.t.Helper()
	data, err := os.ReadFile(path)
	v.must(err)
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	v.must(err)
	v.fill()
	v.freeLast(len(data))
	_, err = f.Write(data)
	v.must(err, f.Close(), os.Rename(path+".new", path), os.Remove(v.filler()), v.synced())

	cut := int64(v.firstBlock(path)) * blockBytes
	img, err := os.OpenFile(v.image(), os.O_RDWR, 0)
	v.must(err)
	tail := make([]byte, volumeBytes-cut)
	_, err = img.ReadAt(tail, cut)
	v.must(err, img.Truncate(cut), uncache(path))
	if _, err := os.ReadFile(path); !errors.Is(err, syscall.EIO) {
		v.t.Fatalf("%s can be read: %v", path, err)
	}
	return func() {
		_, err := img.WriteAt(tail, cut)
		v.must(err, img.Close())
		if _, err := os.Stat(path); os.IsNotExist(err) {
			return
		}
		// To elsewhere, so that the last blocks are free again.
		v.must(uncache(path), command("cp", path, path+".new"), os.Rename(path+".new", path), v.synced())
	}
}

const blockBytes = 1024 // as make makes the disk

// freeLast gives back the last blocks of a full disk, enough for the bytes.
func (v *volume) freeLast(bytes int) {
	v.t.Helper()
	f, err := os.OpenFile(v.filler(), os.O_RDWR, 0)
	v.must(err)
	defer f.Close()
	info, err := f.Stat()
	v.must(err)
	blocks, last := int(info.Size()/blockBytes), 0
	where := make([]uint32, blocks)
	for i := range where {
		where[i] = v.block(f, i)
		if where[i] > where[last] {
			last = i
		}
	}
	count := (bytes + blockBytes - 1) / blockBytes
	first := last - count + 1
	if first < 0 || where[last]-where[first] != uint32(count-1) {
		v.t.Fatalf("the last %d blocks of the disk are not one piece of the filler", count)
	}
	v.must(unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE|unix.FALLOC_FL_PUNCH_HOLE, int64(first)*blockBytes, int64(count)*blockBytes),
		v.synced())
}

// firstBlock is the first block of a file that lies in one piece.
func (v *volume) firstBlock(path string) uint32 {
	v.t.Helper()
	f, err := os.Open(path)
	v.must(err)
	defer f.Close()
	return v.block(f, 0)
}

// block is the block of the disk at which block i of the file is.
func (v *volume) block(f *os.File, i int) uint32 {
	v.t.Helper()
	const fibmap = 1 // FIBMAP of linux/fs.h
	at := uint32(i)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), fibmap, uintptr(unsafe.Pointer(&at))); errno != 0 {
		v.t.Fatalf("asking for the blocks of %s: %v", f.Name(), errno)
	}
	return at
}

// uncache makes the kernel read the file from the disk the next time.
func uncache(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED), f.Close())
}

// A config that the disk does not give out keeps its image where a filter asks
// for its labels, and nothing else. Removing takes no reading.
func TestUnreadableBlob(t *testing.T) {
	each(t, func(b *bed) {
		gone := b.images["gone1"]
		repair := b.unreadable(b.d.BlobFile(gone.Config.Desc.Digest))
		before := b.capture()
		b.stop()
		r := b.prune("--filter", "label!=no-such-label", "--format", "json").Want(b.t, programs.ExitDone)
		after := b.capture()
		doc := r.Document(b.t)
		harmless(b.t, before, after, doc.Reclaimed.ContentBytes)
		if left := names(after); len(doc.Untagged) != 4 || !left[gone.Name] {
			b.t.Errorf("removed %v, left %v", doc.Untagged, left)
		}
		if why := fmt.Sprintf("config %s cannot be read", gone.Config.Desc.Digest); !strings.Contains(r.Stdout, why) || !strings.Contains(r.Stdout, "input/output error") {
			b.t.Errorf("it does not say %q:\n%s", why, r.Stdout)
		}

		doc = b.prune("--format", "json").Want(b.t, programs.ExitDone).Document(b.t)
		if len(doc.Untagged) != 1 || doc.Untagged[0].Name != gone.Name {
			b.t.Errorf("removed %v", doc.Untagged)
		}
		harmless(b.t, after, b.capture(), doc.Reclaimed.ContentBytes)
		repair()
		b.works(b.t.Context())
	})
}

// A database that the disk does not give out is refused in a sentence: bolt
// maps it into memory, where a failed read kills the process.
func TestUnreadableDatabase(t *testing.T) {
	each(t, func(b *bed) {
		if !b.stopped {
			return // containerd has it open, and its own trouble with it
		}
		before := b.capture()
		b.stop()
		for _, path := range []string{
			filepath.Join(b.d.Root(), "io.containerd.metadata.v1.bolt", "meta.db"),
			filepath.Join(b.d.Root(), "io.containerd.snapshotter.v1."+b.d.Snapshotter(), "metadata.db"),
		} {
			repair := b.unreadable(path)
			for _, args := range [][]string{{"--dry-run"}, nil} {
				r := b.prune(args...).Want(b.t, programs.ExitUnreachable, filepath.Base(path), "input/output error")
				if strings.Count(r.Stderr, "\n") != 1 {
					b.t.Errorf("not one sentence:\n%s", r.Stderr)
				}
			}
			repair()
		}
		same(b.t, before, b.capture())
		b.prune().Want(b.t, programs.ExitDone)
		b.works(b.t.Context())
	})
}
