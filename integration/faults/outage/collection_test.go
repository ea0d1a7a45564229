package outage

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// collected is how many images go in a run whose collection is to be hit: it
// lasts long enough then.
const collected = 60

// Containerd is killed in the midst of the collection: it removes records
// first, then files, and when it is started again does not look for those that
// are left. The run does not count them, the check finds them and says what to
// do, and that removes them.
func TestContainerdDiesWhileItCollects(t *testing.T) {
	onDaemons(t, collected, func(b *bed) {
		until := time.Now().Add(b.soak())
		for round := 0; round == 0 || time.Now().Before(until); round++ {
			lost := b.diesCollecting()
			b.t.Logf("%d of %d blobs were forgotten", lost, len(b.full.Files))
			if lost == 0 {
				b.t.Error("the collection was not hit")
			}
		}
	})
}

func (b *bed) diesCollecting() int {
	b.t.Helper()
	h := b.halt(collecting)
	if !h.reached {
		b.t.Fatalf("the command ended before the collection: %s", h.Stderr())
	}
	first := b.watch(unix.IN_DELETE)
	h.release()
	b.must(first())
	b.d.Kill()
	code, _ := h.End()
	b.must(h.proxy.Close())
	if doc := h.Document(); code != programs.ExitFailed || doc.Measured || doc.Reclaimed.Blobs > 0 {
		b.t.Errorf("exit code %d, measured %v, reclaimed %+v", code, doc.Measured, doc.Reclaimed)
	}
	b.d.Up()
	return b.recovered("killed in the collection")
}

// A later run that removes something makes containerd look, and the files go
// with it. They are not counted as that run's.
func TestForgottenBlobsAreNotCounted(t *testing.T) {
	onDaemons(t, collected, func(b *bed) {
		h := b.halt(collecting)
		first := b.watch(unix.IN_DELETE)
		h.release()
		b.must(first())
		b.d.Kill()
		h.End()
		b.must(h.proxy.Close())
		b.d.Up()
		left := b.d.Capture()
		lost := forgotten(left)
		late := imagestore.New(99).Image(imagestore.Spec{Name: "docker.io/library/late:1", LayerBytes: 1 << 10})
		b.must(b.store().Add(b.t.Context(), late))
		before := b.d.Capture()
		doc := b.run().Document()
		after := b.d.Capture()
		var own int64
		for _, d := range late.Digests() {
			own += before.Files[d]
		}
		if len(lost) == 0 || len(forgotten(after)) > 0 || doc.Reclaimed.ContentBytes != own || doc.Garbage.Blobs > 0 || doc.Others.Blobs > 0 {
			b.t.Errorf("forgotten %d, then %d; the run's own %d bytes, told %+v, garbage %+v, others %+v",
				len(lost), len(forgotten(after)), own, doc.Reclaimed, doc.Garbage, doc.Others)
		}
	})
}

// watch returns a function that waits until something happens to the file of a
// blob, from now on: unix.IN_DELETE, or unix.IN_MOVED_TO when it gets one.
func (b *bed) watch(event uint32) func() error {
	b.t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	b.must(err)
	dir := filepath.Join(b.d.Root(), "io.containerd.content.v1.content", "blobs", "sha256")
	_, err = unix.InotifyAddWatch(fd, dir, event)
	b.must(err)
	return func() error {
		defer unix.Close(fd)
		ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		for {
			n, err := unix.Poll(ready, int((5 * time.Minute).Milliseconds()))
			if errors.Is(err, unix.EINTR) {
				continue
			}
			if err == nil && n == 0 {
				err = fmt.Errorf("nothing happened to any blob")
			}
			return err
		}
	}
}
