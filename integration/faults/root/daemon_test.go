package root

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// socket runs the command on the running daemon.
func (b *bed) socket(args ...string) result {
	b.t.Helper()
	return result{programs.Run(b.t, nil, program, append(args, "--address", b.d.Address())...)}
}

// works puts an image back that was pruned, unpacks it onto the layers that
// are left, makes a container of it, and takes both away again.
func (b *bed) works(what string) {
	b.t.Helper()
	ctx, s := b.t.Context(), b.d.Store("default")
	img := b.samples["default"].One
	b.must(
		s.Add(ctx, img),
		s.Container(ctx, imagestore.ContainerSpec{ID: "late", Image: img.Name, Of: img}),
	)
	before := b.d.Capture()
	b.socket("--all", "--force").want(b.t, what+": a container is in use", programs.ExitDone)
	if _, left := b.d.Capture().Namespaces["default"].Images[img.Name]; !left {
		b.t.Errorf("%s: the image of a new container is gone", what)
	}
	b.must(s.RemoveContainer(ctx, "late"))
	b.socket("--all", "--force").want(b.t, what+": the container is gone", programs.ExitDone)
	after := b.d.Capture()
	if _, left := after.Namespaces["default"].Images[img.Name]; left {
		b.t.Errorf("%s: the image is still there", what)
	}
	if err := oracle.CheckContainers(after, after); err != nil {
		b.t.Errorf("%s: %v", what, err)
	}
	if freed := oracle.DiskFreed(before, after); freed <= 0 {
		b.t.Errorf("%s: %d bytes freed", what, freed)
	}
}

// The real daemon finds everything in order on a root that was pruned while it
// was stopped; so does a newer one on the root of an older.
func TestDaemonOnPrunedRoot(t *testing.T) {
	for _, c := range []struct {
		name         string
		first, later parts.Part
	}{
		{"2.4", parts.Containerd24, parts.Containerd24},
		{"1.7", parts.Containerd17, parts.Containerd17},
		{"1.7, then 2.4", parts.Containerd17, parts.Containerd24},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, c.first)
			b.pruneAndCheck("pruned")
			left := b.d.Capture()
			if err := oracle.Check(b.full, left, oracle.AllowOrphanedSnapshots()); err != nil {
				t.Errorf("harm:\n%v", err)
			}
			b.d.Restart(func(o *daemon.Options) { o.Version = c.later })
			b.d.Stop()
			b.orderly("started on the pruned root", left)
		})
	}
}
