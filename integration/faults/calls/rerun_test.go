package calls

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// rerun runs the command over what a disturbed one left, and holds it and the
// store to the invariants: no harm, numbers that are true, the outcome of an
// undisturbed run, and nothing to do for a third one.
func (b *bed) rerun(what string) {
	b.t.Helper()
	before := b.d.Capture()
	interrupted := b.unfinished(before)
	r := b.start(b.d.Address())
	if code, _ := r.End(); code != 0 {
		b.t.Errorf("%s: the next run ends with %d: %s", what, code, r.Stderr())
	}
	doc := r.Document()
	after := b.d.Capture()
	if len(doc.Recovered) != interrupted {
		b.t.Errorf("%s: the next run says it finished %+v, there were %d", what, doc.Recovered, interrupted)
	}
	if err := oracle.Check(before, after, oracle.AllowOrphanedSnapshots()); err != nil {
		b.t.Errorf("%s: the next run did harm:\n%v", what, err)
	}
	numbers(b.t, what, doc, before, after)
	b.complete(what)
	b.check(what)
	b.nothingLeft(what)
}

// unfinished counts the namespaces in which a run waits to be finished. Where
// one does, what both runs take away is judged together: before then has the
// records that the first one removed.
func (b *bed) unfinished(before *oracle.State) (n int) {
	for name, ns := range before.Namespaces {
		if _, leased := ns.Leases[leases.RunID]; leased {
			n++
			ns.Images = b.full.Namespaces[name].Images
		}
	}
	return n
}

// numbers holds what a run says of itself to the disk.
func numbers(t *testing.T, what string, doc prune.Document, before, after *oracle.State) {
	t.Helper()
	if freed, told := oracle.DiskFreed(before, after), doc.Reclaimed.ContentBytes+doc.Garbage.ContentBytes; freed != told {
		t.Errorf("%s: the disk gave back %d bytes, the next run says %d", what, freed, told)
	}
	others := doc.Others
	if len(doc.Recovered) > 0 {
		// Snapshots that only the finished run's build history held.
		others.Snapshots, others.SnapshotBytes, others.TotalBytes = 0, 0, others.TotalBytes-others.SnapshotBytes
	}
	if doc.Kind == prune.DocumentReport && (doc.Reclaimed != doc.Predicted || others != prune.Amount{}) {
		t.Errorf("%s: reclaimed %+v, predicted %+v, others %+v, changes %+v", what, doc.Reclaimed, doc.Predicted, doc.Others, doc.Changes)
	}
	c := doc.Counts
	if c.Images != c.Remove+c.Keep+c.StandIn || c.Images != len(doc.Images) {
		t.Errorf("%s: the counts do not add up: %+v of %d", what, c, len(doc.Images))
	}
	for _, image := range doc.Images {
		if image.Reason == "" {
			t.Errorf("%s: no reason for %q", what, image.Name)
		}
	}
}

// nothingLeft fails the test if another run finds anything to do.
func (b *bed) nothingLeft(what string) {
	b.t.Helper()
	before := b.d.Capture()
	r := b.start(b.d.Address())
	code, _ := r.End()
	doc := r.Document()
	if code != 0 || doc.Counts.Remove+doc.Counts.StandIn+len(doc.Recovered) > 0 {
		b.t.Errorf("%s: a third run has something to do: code %d, %+v, recovered %+v", what, code, doc.Counts, doc.Recovered)
	}
	if diff := cmp.Diff(oracle.Changes{}, oracle.Diff(before, b.d.Capture())); diff != "" {
		b.t.Errorf("%s: a third run changed the store:\n%s", what, diff)
	}
}

// unharmed looks at what a disturbed run left: nothing is lost, and all that
// is to go is held or has its record. It returns how many records are gone.
func (b *bed) unharmed(what string) {
	b.t.Helper()
	// Whatever containerd has to collect, and what it still does for a client
	// that is dead, is over then.
	b.settle()
	left := b.d.Capture()
	if err := oracle.Check(b.full, left, oracle.AllowOrphanedSnapshots()); err != nil {
		b.t.Errorf("%s: harm:\n%v", what, err)
	}
	if err := oracle.CheckUntouched(b.full, left); err != nil {
		b.t.Errorf("%s: touched:\n%v", what, err)
	}
	if lost := unheld(b.full, left); len(lost) > 0 {
		b.t.Errorf("%s: the run lease is there, but it does not hold %v", what, lost)
	}
}

// again fills the store for the next run.
func (b *bed) again() {
	b.t.Helper()
	b.fill()
	b.settle()
	if diff := cmp.Diff(oracle.Changes{}, oracle.Diff(b.full, b.d.Capture())); diff != "" {
		b.t.Fatalf("the store is not as it was at first:\n%s", diff)
	}
}
