package disk

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// A disk that is full to the last byte takes no plan. The run says so, offers
// --no-guard, and has changed nothing; that makes room for real, and a plain
// run works again.
func TestFullDisk(t *testing.T) {
	each(t, func(b *bed) {
		b.stop()
		b.fill()
		before := b.capture()
		b.prune().Want(b.t, programs.ExitFailed, "nothing was removed", "the disk is full", "no space left on device", "--no-guard")
		same(b.t, before, b.capture())

		doc := b.prune("--no-guard", "--format", "json").Want(b.t, programs.ExitDone).Document(b.t)
		after := b.capture()
		harmless(b.t, before, after, doc.Reclaimed.ContentBytes)
		if doc.Reclaimed.Blobs != 3*4+2 || len(doc.Untagged) != 5 {
			b.t.Errorf("freed %+v", doc)
		}
		by := b.images["by-digest"]
		if left := names(after); len(left) != 2 || !left[b.images["used"].Name] || !left["<none>@"+by.Target.Digest.String()] {
			b.t.Errorf("records left: %v", left)
		}
		b.works(b.t.Context())
	})
}

// On a read-only disk nothing changes, whatever is tried, and it is said in a
// sentence.
func TestReadOnlyDisk(t *testing.T) {
	each(t, func(b *bed) {
		b.stop()
		before := b.capture()
		b.readOnly()
		code := programs.ExitFailed
		if b.stopped {
			code = programs.ExitUnreachable
		}
		b.prune().Want(b.t, code, "read-only")
		b.prune("--no-guard").Want(b.t, code, "read-only")
		b.d.Kill()
		b.remount()
		b.d.Up()
		b.stop()
		same(b.t, before, b.capture())
		b.prune().Want(b.t, programs.ExitDone)
		b.works(b.t.Context())
	})
}

// A blob that not even root can remove is not counted, and told of with the
// reason; what containerd could not remove because of it goes later.
func TestUndeletableBlob(t *testing.T) {
	each(t, func(b *bed) {
		b.stop()
		before := b.capture()
		stuck := b.images["gone2"].Layers[2].Blob.Desc.Digest
		b.pin(b.d.BlobFile(stuck), true)
		r := b.prune("--format", "json").Want(b.t, programs.ExitFailed, stuck.String()+" cannot be removed because its file is marked immutable")
		after := b.capture()
		harmless(b.t, before, after, r.Document(b.t).Reclaimed.ContentBytes)
		if _, err := os.Lstat(b.d.BlobFile(stuck)); err != nil {
			b.t.Errorf("the test does not test what it is to: %v", err)
		}
		b.pin(b.d.BlobFile(stuck), false)
		run(b.t, append([]string{"check", "--repair"}, b.where()...)...)
		if _, err := os.Lstat(b.d.BlobFile(stuck)); !os.IsNotExist(err) {
			b.t.Errorf("it is not gone: %v", err)
		}
		b.works(b.t.Context())
	})
}

// A containerd without a UUID, as it cannot write one on a full disk, is known
// by its open database: that its disk is full is seen all the same.
func TestFullDiskWithoutUUID(t *testing.T) {
	each(t, func(b *bed) {
		if b.stopped {
			b.t.Skip("only a daemon has a UUID")
		}
		b.must(os.RemoveAll(filepath.Join(b.d.Root(), "io.containerd.grpc.v1.introspection", "uuid")))
		b.fill()
		before := b.capture()
		b.prune().Want(b.t, programs.ExitFailed, "nothing was removed", "the disk is full", "--no-guard")
		same(b.t, before, b.capture())
	})
}
