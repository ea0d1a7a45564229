package outage

import (
	"errors"
	"fmt"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// bed is a daemon with a store that is filled again after each run.
type bed struct {
	t       *testing.T
	d       *daemon.Daemon
	program string
	images  []*imagestore.Image
	// full is the store before a run, pruned what an undisturbed one leaves.
	full, pruned *oracle.State
}

// newBed fills a store with an image that a container uses, one that build
// history holds, and n others that share a base. The metadata is synchronized
// with the disk, as it is outside of tests: what is killed here must find its
// database whole.
func newBed(t *testing.T, version parts.Part, program string, n int) *bed {
	t.Helper()
	b := &bed{t: t, d: daemon.Start(t, daemon.Options{Version: version}), program: program}
	make := imagestore.New(5)
	base := make.Image(imagestore.Spec{Name: "docker.io/library/base:1", LayerBytes: 2 << 10})
	b.images = append(b.images, base)
	for i := range n + 2 {
		name := fmt.Sprintf("docker.io/library/app-%d:1", i)
		b.images = append(b.images, make.Image(imagestore.Spec{Name: name, Base: base, Layers: 1, LayerBytes: 1 << 10}))
	}
	b.fill()
	used, built, ctx := b.images[1], b.images[2], t.Context()
	b.must(
		b.store().NerdctlContainer(ctx, "used", "used", used.Name, used),
		b.store().HistoryLease(ctx, "build", built),
		b.store().Collect(ctx),
	)
	b.full = b.d.Capture()
	b.run()
	b.pruned = b.d.Capture()
	if err := oracle.Check(b.full, b.pruned, oracle.AllowOrphanedSnapshots()); err != nil {
		t.Fatalf("the undisturbed run did harm:\n%v", err)
	}
	b.fill()
	return b
}

// store connects anew: the daemon may have been another one.
func (b *bed) store() imagestore.Store { return b.d.Store("default") }

func (b *bed) must(errs ...error) {
	b.t.Helper()
	if err := errors.Join(errs...); err != nil {
		b.t.Fatal(err)
	}
}

// fill adds what is gone of the images.
func (b *bed) fill() {
	b.t.Helper()
	s := b.store()
	for _, img := range b.images {
		b.must(s.Add(b.t.Context(), img))
	}
	b.must(s.Collect(b.t.Context()))
}

// start starts the command by way of a socket.
func (b *bed) start(address string, more ...string) *programs.Process {
	b.t.Helper()
	args := append([]string{"--address", address, "--all", "--force", "--format", "json"}, more...)
	return programs.Start(b.t, b.program, args...)
}

// run runs the command with nothing in its way.
func (b *bed) run() *programs.Process {
	b.t.Helper()
	r := b.start(b.d.Address())
	if code, _ := r.End(); code != 0 {
		b.t.Fatalf("the command ends with %d: %s", code, r.Stderr())
	}
	return r
}
