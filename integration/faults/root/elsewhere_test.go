package root

import (
	"fmt"
	"testing"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

// A root whose snapshotter was given another directory still has the old one. It is
// refused, whatever is asked, and all is there when the daemon is back.
func TestAnotherRootPath(t *testing.T) {
	t.Parallel()
	daemon.EachVersion(t, func(t *testing.T, version parts.Part) {
		t.Parallel()
		elsewhere := t.TempDir()
		d := daemon.Start(t, daemon.Options{Version: version})
		useSnapshotter(t, d)
		d.Restart(func(o *daemon.Options) {
			o.Config = fmt.Sprintf("[plugins.\"io.containerd.snapshotter.v1.%s\"]\n  root_path = %q\n", d.Snapshotter(), elsewhere)
		})
		store, image := d.Store("default"), imagestore.New(9).Image(imagestore.Spec{Name: "docker.io/library/app:1", Layers: 2})
		if err := store.Add(t.Context(), image); err != nil {
			t.Fatal(err)
		}
		d.Stop()
		for _, args := range [][]string{{"--all", "--force"}, {"--all", "--dry-run"}, {"df"}, {"check", "--repair"}} {
			programs.Run(t, nil, program, append(args, "--root", d.Root())...).Want(t, 4,
				"2 of its 2 snapshots of "+d.Snapshotter()+" are not in", "so containerd is probably configured with another root_path for that snapshotter", "start containerd, and connect to it by its socket")
		}
		d.Up()
		record, err := store.Client.ImageService().Get(store.Context(t.Context()), image.Name)
		if err != nil {
			t.Fatal(err)
		}
		if ok, err := containerd.NewImage(store.Client, record).IsUnpacked(store.Context(t.Context()), d.Snapshotter()); !ok || err != nil {
			t.Errorf("unpacked: %v, %v", ok, err)
		}
		programs.Run(t, nil, program, "--all", "--force", "--address", d.Address()).Want(t, 0)
	})
}

// useSnapshotter makes a snapshot and removes it, which leaves the database of the
// snapshotter.
func useSnapshotter(t *testing.T, d *daemon.Daemon) {
	t.Helper()
	store := d.Store("default")
	snapshotter := store.Client.SnapshotService(d.Snapshotter())
	ctx := store.Context(t.Context())
	if _, err := snapshotter.Prepare(ctx, "first", ""); err != nil {
		t.Fatal(err)
	}
	if err := snapshotter.Remove(ctx, "first"); err != nil && !errdefs.IsNotFound(err) { // collected by then
		t.Fatal(err)
	}
}
