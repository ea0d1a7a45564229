package foreign_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// command is ctr-prune.
var command string

func TestMain(m *testing.M) {
	os.Exit(programs.Main(m, map[*string]string{&command: programs.Command}))
}

// bench is a daemon and the programs of others.
type bench struct {
	*daemon.Daemon
	t     *testing.T
	dir   string
	paths parts.Paths
	store imagestore.Store
}

func each(t *testing.T, test func(b *bench)) {
	t.Parallel()
	paths, err := parts.Ensure(t.Context(), parts.Umoci, parts.Skopeo, parts.Registry)
	if errors.Is(err, parts.ErrUnavailable) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		t.Parallel()
		d := daemon.Start(t, daemon.Options{Version: version})
		test(&bench{Daemon: d, t: t, dir: t.TempDir(), paths: paths, store: d.Store("default")})
	})
}

func (b *bench) must(errs ...error) {
	b.t.Helper()
	if err := errors.Join(errs...); err != nil {
		b.t.Fatal(err)
	}
}

// path is that of a file of the test.
func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// run runs a program, which has to succeed.
func (b *bench) run(program string, args ...string) {
	b.t.Helper()
	programs.Collect(b.t, exec.CommandContext(b.t.Context(), program, args...)).Want(b.t, 0)
}

func (b *bench) umoci(args ...string) {
	b.t.Helper()
	b.run(b.paths.Bin(parts.Umoci, "umoci"), args...)
}

func (b *bench) skopeo(args ...string) {
	b.t.Helper()
	b.run(b.paths.Bin(parts.Skopeo, "skopeo"), append([]string{"--insecure-policy"}, args...)...)
}

// archive puts a layout of OCI's into an archive.
func (b *bench) archive(layout string) (path string) {
	b.t.Helper()
	path = layout + ".tar"
	b.run("tar", "-C", layout, "-cf", path, ".")
	return path
}

// imports imports an archive as users do, with ctr.
func (b *bench) imports(archive string, options ...string) {
	b.t.Helper()
	args := append([]string{"--address", b.Address(), "images", "import", "--snapshotter", b.Snapshotter()}, options...)
	b.run(b.Ctr(), append(args, archive)...)
}

// image returns a record, which must be there.
func (b *bench) image(name string) images.Image {
	b.t.Helper()
	image, err := b.store.Client.ImageService().Get(b.store.Context(b.t.Context()), name)
	b.must(err)
	return image
}

// uses makes a container of an image.
func (b *bench) uses(id, name string) {
	b.t.Helper()
	b.must(b.create(b.store.Context(b.t.Context()), id, b.image(name)))
}

func (b *bench) create(ctx context.Context, id string, record images.Image) error {
	image := containerd.NewImage(b.store.Client, record)
	_, err := b.store.Client.NewContainer(ctx, id, containerd.WithImage(image),
		containerd.WithSnapshotter(b.Snapshotter()), containerd.WithNewSnapshot(id, image), containerd.WithNewSpec(oci.WithProcessArgs("/bin/true")))
	return err
}

// prune removes all that is unused and fails the test unless just these names are
// left, nothing was harmed, and the disk gave back what was told.
func (b *bench) prune(left ...string) prune.Document {
	b.t.Helper()
	b.must(b.store.Collect(b.t.Context())) // what imports leave
	before := b.Capture()
	report := programs.Run(b.t, nil, command, "--all", "--force", "--format", "json", "--address", b.Address()).Want(b.t, 0).Document(b.t)
	after := b.Capture()
	if err := oracle.Check(before, after); err != nil {
		b.t.Errorf("the prune did harm:\n%v", err)
	}
	if freed := oracle.DiskFreed(before, after); freed != report.Reclaimed.ContentBytes || report.Reclaimed != report.Predicted || report.Counts.Remove > 0 && !report.Verified {
		b.t.Errorf("the disk gave back %d bytes of content; reclaimed %+v, predicted %+v, verified %v", freed, report.Reclaimed, report.Predicted, report.Verified)
	}
	names := make(map[string]bool)
	for name := range after.Namespaces["default"].Images {
		names[name] = true
	}
	for _, name := range left {
		if !names[name] {
			b.t.Errorf("image %q is gone", name)
		}
		delete(names, name)
	}
	if len(names) > 0 {
		b.t.Errorf("also left: %v", names)
	}
	return report
}

// ended removes a container and its snapshot.
func (b *bench) ended(id string) {
	b.t.Helper()
	ctx := b.store.Context(b.t.Context())
	b.must(b.store.Client.ContainerService().Delete(ctx, id))
	if err := b.store.Client.SnapshotService(b.Snapshotter()).Remove(ctx, id); !errdefs.IsNotFound(err) {
		b.must(err)
	}
}
