package answers_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// A dry run with a grace says what becomes of what nothing holds already, and so
// it is: the run collects nothing, a running containerd does soon after it, and
// a stopped one when it is started.
func TestGarbageBesideAGrace(t *testing.T) {
	latest(t, func(n *node) {
		if n.stopped {
			n.daemon.Up()
			n.must(n.daemon.Store("default").Collect(t.Context())) // as it does when it has started
		}
		file := n.garbage("nobody wants this")
		if n.stopped {
			n.daemon.Stop()
		}
		n.wantText(n.run(0, "--all", "--dry-run").Stdout, "Existing garbage, collected as well: 1 blob, 17B.")
		said := "containerd itself does so soon after it"
		if n.stopped {
			said = "it stays until containerd is started"
		}
		n.wantText(n.run(0, "--all", "--dry-run", "--grace", "1h").Stdout, "Existing garbage: 1 blob, 17B; with a grace period the run collects nothing,", said)
		n.graced()
		if n.stopped {
			_, err := os.Stat(file)
			n.must(err)
			n.daemon.Up()
		}
		n.awaitGone(file)
	})
}

// garbage adds a blob that nothing holds, and returns its file.
func (n *node) garbage(text string) string {
	n.t.Helper()
	s := n.daemon.Store("default")
	desc := ocispec.Descriptor{Digest: digest.FromString(text), Size: int64(len(text))}
	n.must(content.WriteBlob(s.Context(n.t.Context()), s.Client.ContentStore(), "garbage", bytes.NewReader([]byte(text)), desc))
	return n.daemon.BlobFile(desc.Digest)
}

// awaitGone waits until a file is gone, of which containerd sends no event.
func (n *node) awaitGone(file string) {
	n.t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			return
		}
		if time.Now().After(deadline) {
			n.t.Fatalf("%s is still there", file)
		}
	}
}
