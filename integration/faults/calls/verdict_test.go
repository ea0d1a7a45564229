package calls

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// verdict looks at what a disturbed run left, lets the next one finish, and
// fills the store again. The next one is of this process, as the disturbed one
// may have been: a run that has failed is over.
func (b *bed) verdict(what string, o outcome) {
	b.t.Helper()
	left := b.d.Capture()
	fail := func(format string, args ...any) {
		b.t.Helper()
		b.t.Errorf("%s: "+format, append([]any{what}, args...)...)
	}
	if err := oracle.Check(b.full, left, oracle.AllowOrphanedSnapshots()); err != nil {
		fail("harm:\n%v", err)
	}
	if err := oracle.CheckUntouched(b.full, left); err != nil {
		fail("touched:\n%v", err)
	}
	if lost := unheld(b.full, left); len(lost) > 0 {
		fail("the run lease is there, but it does not hold %v", lost)
	}
	if o.err != nil && o.report == nil {
		if changes := withoutRun(oracle.Diff(b.full, left)); len(changes) > 0 {
			fail("nothing was to be changed: %q", changes)
		}
	}
	if oracle.Differences(b.full, left) == "" {
		return // the next run is the first one
	}
	again := b.run(b.t.Context(), &fault{})
	if again.err != nil {
		fail("the next run fails: %v", again.err)
	}
	b.complete(what)
	b.check(what)
	b.fill()
	b.settle()
}

// complete fails the test unless the store is what an undisturbed run leaves.
func (b *bed) complete(what string) {
	b.t.Helper()
	b.settle()
	if diff := oracle.Differences(b.pruned, b.d.Capture()); diff != "" {
		b.t.Errorf("%s: not as after an undisturbed run:\n%s", what, diff)
	}
}

// check is the product's own look at the store.
func (b *bed) check(what string) {
	b.t.Helper()
	store, err := prune.Open(b.t.Context(), b.d.Address())
	b.must(err)
	found, err := prune.Check(context.Background(), store, time.Now(), prune.CheckOptions{})
	b.must(err, store.Close())
	if len(found.Findings) > 0 {
		b.t.Errorf("%s: findings: %+v", what, found.Findings)
	}
}

// unheld lists the blobs that are gone from namespaces in which the run lease
// is still there.
func unheld(before, left *oracle.State) []string {
	var lost []string
	for name, ns := range before.Namespaces {
		now := left.Namespaces[name]
		if _, leased := now.Leases[leases.RunID]; !leased {
			continue
		}
		for d := range ns.Content {
			_, known := now.Content[d]
			if _, file := left.Files[d]; !known || !file {
				lost = append(lost, d.String())
			}
		}
	}
	return lost
}

// withoutRun lists the changes but for the lease and the plan of the run, which
// stay when the call that removes them is the one that fails.
func withoutRun(c oracle.Changes) []string {
	return append(c.Removed, c.Changed...)
}
