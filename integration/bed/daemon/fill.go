package daemon

import (
	"os"
	"os/exec"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/opencontainers/go-digest"
)

// Offline stops the daemon, calls fn with its store opened in this process,
// and starts it again. Large stores fill several times faster this way than
// through the socket, and blobs can be dated back.
func (d *Daemon) Offline(fn func(*imagestore.Embedded) error) {
	d.tb.Helper()
	running := d.Running()
	d.Stop()
	if err := d.offline(fn); err != nil {
		d.tb.Fatalf("changing the store of the stopped daemon: %v", err)
	}
	if running {
		d.Up()
	}
}

func (d *Daemon) offline(fn func(*imagestore.Embedded) error) error {
	e, err := imagestore.OpenEmbedded(d.tb.Context(), d.Root(), d.Snapshotter())
	if err != nil {
		return err
	}
	err = fn(e)
	if cerr := e.Close(); err == nil {
		err = cerr
	}
	return err
}

// Clone starts another daemon on a copy of this one's root, as it is now:
// for comparing two ways on equal stores.
func (d *Daemon) Clone(tb testing.TB) *Daemon {
	tb.Helper()
	c := create(tb, d.opts)
	running := d.Running()
	d.Stop()
	copying := exec.Command("cp", "-a", d.Root(), c.Root())
	if out, err := copying.CombinedOutput(); err != nil {
		tb.Fatalf("copying the store: %v\n%s", err, out)
	}
	if running {
		d.Up()
	}
	c.Up()
	return c
}

// RemoveBlob deletes a blob's file under the daemon's feet, as a failing disk
// does.
func (d *Daemon) RemoveBlob(blob digest.Digest) {
	d.tb.Helper()
	if err := os.Remove(d.BlobFile(blob)); err != nil {
		d.tb.Fatal(err)
	}
}
