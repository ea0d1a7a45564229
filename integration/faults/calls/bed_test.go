package calls

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/pruning"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// bed is one daemon with a small store that is filled again after each run.
type bed struct {
	t     *testing.T
	d     *daemon.Daemon
	store imagestore.Store
	// samples are what is in the store, by namespace.
	samples map[string]*imagestore.Sample
	// full is the store before a run, pruned what an undisturbed one leaves.
	full, pruned *oracle.State
	// calls are the methods of the calls of an undisturbed run.
	calls []string
	// program is the command.
	program string
}

// newBed fills a store of two namespaces, and has an undisturbed run show what it
// leaves.
func newBed(t *testing.T, version parts.Part) *bed {
	t.Helper()
	d := daemon.Start(t, daemon.Options{Version: version, NoSync: true})
	b := &bed{t: t, d: d, store: d.Store("default"), samples: map[string]*imagestore.Sample{}}
	make := imagestore.New(1)
	for _, ns := range []string{"default", "other"} {
		b.samples[ns] = make.Sample()
	}
	b.fill()
	for ns, sample := range b.samples {
		b.must(b.store.In(ns).UseSample(t.Context(), sample))
	}
	b.settle()
	b.full = d.Capture()
	f := &fault{}
	o := b.run(t.Context(), f)
	b.must(o.err)
	b.calls, b.pruned = f.methods(), d.Capture()
	if err := oracle.Check(b.full, b.pruned, oracle.AllowOrphanedSnapshots()); err != nil {
		t.Fatalf("the undisturbed run did harm:\n%v", err)
	}
	b.fill()
	b.settle()
	return b
}

func (b *bed) must(errs ...error) {
	b.t.Helper()
	if err := errors.Join(errs...); err != nil {
		b.t.Fatal(err)
	}
}

// fill adds the images, or what is gone of them, and takes away what a run
// made.
func (b *bed) fill() {
	b.t.Helper()
	for ns, sample := range b.samples {
		defer b.untag(ns)
		b.must(b.store.In(ns).AddSample(b.t.Context(), sample))
	}
}

// untag removes the stand-ins, for the next run to make them again.
func (b *bed) untag(ns string) {
	b.t.Helper()
	s := b.store.In(ns)
	list, err := s.Client.ImageService().List(s.Context(b.t.Context()), `name~="^<none>@"`)
	b.must(err)
	for _, image := range list {
		b.must(s.Untag(b.t.Context(), image.Name))
	}
}

// settle waits for what containerd has still to collect.
func (b *bed) settle() {
	b.t.Helper()
	b.must(b.store.Collect(b.t.Context()))
}

// outcome is how a run ended.
type outcome struct {
	plan   *prune.Plan
	report *prune.Report
	err    error
}

func (b *bed) run(ctx context.Context, f *fault) outcome {
	o := outcome{}
	o.run(ctx, b.d.Address(), f)
	return o
}

// run prunes both namespaces, as the command does with --all.
func (o *outcome) run(ctx context.Context, address string, f *fault) {
	at := f.at
	f.at = 0 // what connects is no part of the run
	store, err := prune.Open(ctx, address, prune.WithDialOptions(f.options()...))
	if err != nil {
		o.err = err
		return
	}
	f.at, f.calls = at, nil
	defer func() { o.err = errors.Join(o.err, store.Close()) }()
	policy := pruning.All("default", "other")
	plan, err := prune.ReadPlan(ctx, store, policy, time.Now(), prune.ReadOptions{})
	if err != nil {
		o.err = err
		return
	}
	o.plan = plan
	o.report, o.err = prune.Execute(ctx, store, plan, prune.ExecuteOptions{Now: time.Now})
}
