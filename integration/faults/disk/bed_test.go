package disk

import (
	"context"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// bed is a daemon whose root is a disk of its own, with images: base, used and
// by-digest, which are in use, and gone1 to gone3, which are not.
type bed struct {
	*volume
	d      *daemon.Daemon
	images map[string]*imagestore.Image
	// stopped says that ctr-prune is to open the root of the stopped daemon.
	stopped bool
}

// each runs a test with every version, and with it running and stopped.
func each(t *testing.T, test func(b *bed)) {
	daemon.EachMode(t, func(t *testing.T, version parts.Part, stopped bool) {
		t.Parallel()
		test(newBed(t, version, stopped))
	})
}

func newBed(t *testing.T, version parts.Part, stopped bool) *bed {
	t.Helper()
	b := &bed{volume: newVolume(t), images: map[string]*imagestore.Image{}, stopped: stopped}
	b.d = daemon.Start(t, daemon.Options{Version: version, Config: daemon.Patient, Mount: b.make, Dir: daemon.Memory()})
	builder, store := imagestore.New(1), b.d.Store("default")
	base := builder.Image(imagestore.Spec{Name: "docker.io/library/base:1", LayerBytes: 64 << 10})
	b.images["base"] = base
	b.must(store.Add(t.Context(), base))
	for _, name := range []string{"used", "by-digest", "gone1", "gone2", "gone3"} {
		img := builder.Image(imagestore.Spec{Name: "docker.io/library/" + name + ":1", Base: base, Layers: 2, LayerBytes: 256 << 10})
		b.images[name] = img
		b.must(store.Add(t.Context(), img))
	}
	b.must(
		store.NerdctlContainer(t.Context(), "used", "used", b.images["used"].Name, b.images["used"]),
		store.Container(t.Context(), imagestore.ContainerSpec{ID: "by-digest", Image: b.images["by-digest"].Target.Digest.String(), Of: b.images["by-digest"]}),
		store.Collect(t.Context()),
	)
	return b
}

// stop stops the daemon if the command is to run on its root.
func (b *bed) stop() {
	b.t.Helper()
	if b.stopped {
		b.d.Stop()
	}
}

// capture reads the store; a daemon is up afterwards as it was before.
func (b *bed) capture() *oracle.State {
	b.t.Helper()
	if !b.d.Running() {
		b.d.Up()
		defer b.d.Stop()
	}
	return b.d.Capture()
}

// prune runs the command with --all --force where the bed says.
func (b *bed) prune(args ...string) programs.Result {
	b.t.Helper()
	return run(b.t, append(append(b.where(), "--all", "--force"), args...)...)
}

// where are the flags that name the store.
func (b *bed) where() []string { return b.d.Flags(b.stopped) }

func run(t *testing.T, args ...string) programs.Result {
	t.Helper()
	return programs.Run(t, nil, binary, args...)
}

// same fails the test unless nothing has changed.
func same(t *testing.T, before, after *oracle.State) {
	t.Helper()
	if diff := oracle.Differences(before, after); diff != "" {
		t.Errorf("the store has changed:\n%s", diff)
	}
}

// harmless fails the test if the oracle finds harm, or if the reclaimed bytes
// are not those of the disk.
func harmless(t *testing.T, before, after *oracle.State, reclaimed int64) {
	t.Helper()
	if err := oracle.Check(before, after); err != nil {
		t.Errorf("harm:\n%v", err)
	}
	if freed := oracle.DiskFreed(before, after); freed != reclaimed {
		t.Errorf("%d bytes are reported, the files say %d", reclaimed, freed)
	}
}

// names lists the records of the namespace.
func names(s *oracle.State) map[string]bool {
	all := map[string]bool{}
	for name := range s.Namespaces["default"].Images {
		all[name] = true
	}
	return all
}

// works fails the test unless the pruned store takes an image and a plain run
// removes it again.
func (b *bed) works(ctx context.Context) {
	b.t.Helper()
	b.d.Up()
	late := imagestore.New(2).Image(imagestore.Spec{Name: "docker.io/library/late:1", Layers: 1, LayerBytes: 64 << 10})
	b.must(b.d.Store("default").Add(ctx, late))
	b.stop()
	doc := b.prune("--format", "json").Want(b.t, programs.ExitDone).Document(b.t)
	if len(doc.Untagged) != 1 || doc.Reclaimed.Blobs != len(late.Digests()) {
		b.t.Errorf("a plain run removes %+v, %+v", doc.Untagged, doc.Reclaimed)
	}
	run(b.t, append([]string{"check"}, b.where()...)...).Want(b.t, programs.ExitDone)
}
