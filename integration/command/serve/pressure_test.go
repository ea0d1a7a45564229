package serve

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
)

// A disk that fills up is relieved down to its low mark, at once and without a
// grace, and what is used stays. A disk that others fill is told, with who holds it.
func TestPressure(t *testing.T) {
	const size = 256 << 20
	n := newNode(t, daemon.Options{Mount: disk(size)})
	var all []*imagestore.Image
	for i := range 5 {
		img := n.build.Image(imagestore.Spec{Name: fmt.Sprintf("docker.io/library/i%d:1", i), LayerBytes: 8 << 20})
		n.must(n.store.Add(n.Context(), img))
		all = append(all, img)
	}
	n.use("c1", all[0])
	before := n.daemon.Capture()
	n.must(os.WriteFile(n.config(), []byte(everything+"disk: {high: 80%, low: 70%, check: 1s}\nserve: {grace: 24h, listen: none, state: "+n.state()+"}\n"), 0o600))
	r := n.serve(n.daemon.Address(), false)
	r.await("msg=containerd answers")
	n.fill(size, 85)
	r.await("msg=removed an image", "bytes=")
	done := r.await("msg=a run ended", "trigger=pressure", "result=done")
	if used := n.used(); used > 70 {
		t.Errorf("%d %% of the disk are in use after %v", used, done)
	}
	if done["graceUntil"] != nil {
		t.Errorf("it kept what it removed: %v", done)
	}
	n.fill(size, 99)
	r.await("msg=not enough could be freed", "reason=", "again=")
	if got := n.names(); got != "i0" {
		t.Errorf("left are %s", got)
	}
	r.signal(syscall.SIGTERM)
	r.ends(0)
	n.unharmed(before)
}

// disk is a disk of its own for the root of a containerd.
func disk(size int64) func(root string) error {
	return func(root string) error {
		return unix.Mount("tmpfs", root, "tmpfs", 0, fmt.Sprintf("size=%d,mode=711", size))
	}
}

// used is how much of the disk is in use, as the kubelet counts.
func (n *node) used() int {
	n.Helper()
	var s unix.Statfs_t
	n.must(unix.Statfs(n.daemon.Root(), &s))
	return 100 - int(s.Bavail*100/s.Blocks)
}

// fill fills the disk with a file of others until so much of it is in use.
func (n *node) fill(size int64, percent int) {
	n.Helper()
	f, err := os.OpenFile(filepath.Join(n.daemon.Root(), "filler"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	n.must(err)
	for block := make([]byte, size/200); n.used() < percent; {
		_, err := f.Write(block)
		n.must(err)
	}
	n.must(f.Close())
}
