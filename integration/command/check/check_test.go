package check

import (
	"cmp"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// find checks the store and closes it.
func (n *node) find() []prune.Finding {
	n.t.Helper()
	store := n.open()
	found, err := prune.Check(n.t.Context(), store, time.Now(), prune.CheckOptions{})
	n.must(err, store.Close())
	return found.Findings
}

func (n *node) repair(found []prune.Finding) {
	n.t.Helper()
	store := n.open()
	_, err := prune.Repair(n.t.Context(), store, found, prune.ExecuteOptions{Now: time.Now})
	n.must(err, store.Close())
}

// want fails the test unless exactly these problems were found.
func want(t *testing.T, found []prune.Finding, all ...planted) {
	t.Helper()
	var got []planted
	for _, f := range found {
		got = append(got, planted{f.Problem, f.Namespace, f.Object, f.Bytes})
		if f.Meaning == "" || f.Fix == "" {
			t.Errorf("%s %q has no meaning or nothing that repairs it", f.Problem, f.Object)
		}
	}
	order := func(a, b planted) int {
		return cmp.Or(cmp.Compare(a.Problem, b.Problem), cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Object, b.Object))
	}
	slices.SortFunc(got, order)
	slices.SortFunc(all, order)
	if diff := gocmp.Diff(all, got); diff != "" {
		t.Errorf("found (-planted +found):\n%s", diff)
	}
}

// A store in good order has no findings, and a repair of it does nothing.
func TestNothingIsWrong(t *testing.T) {
	t.Parallel()
	everywhere(t, func(n *node) {
		before := n.state()
		want(n.t, n.find())
		n.repair(nil)
		if diff := oracle.Differences(before, n.state()); diff != "" {
			n.t.Errorf("the store was changed:\n%s", diff)
		}
	})
}

// Every problem is found with its bytes, nothing else is, and looking changes
// nothing. What can be repaired is, and no image loses anything by it.
func TestEveryProblem(t *testing.T) {
	t.Parallel()
	everywhere(t, func(n *node) {
		n.d.Expect(prune.ProblemIncomplete) // nothing repairs that but a pull
		healthy := n.state()
		incomplete := n.incomplete("docker.io/library/broken:1")
		upload := n.abandoned("layer-abc")
		all := []planted{
			upload, incomplete, n.expired("old pull"), n.interrupted(),
			n.garbage("nobody wants this"), n.unowned("left-behind"), n.forgotten("known to nobody"),
		}
		before := n.state()
		found := n.find()
		want(n.t, found, all...)
		if diff := oracle.Differences(before, n.state()); diff != "" {
			n.t.Errorf("looking has changed the store:\n%s", diff)
		}
		n.repair(found)
		want(n.t, n.find(), incomplete)
		after := n.state()
		if err := oracle.Check(before, after); err != nil {
			n.t.Errorf("the repair did harm:\n%v", err)
		}
		if changes := oracle.Diff(healthy, after); len(changes.Removed)+len(changes.Changed) > 0 {
			n.t.Errorf("the repair took what was in order: %+v", changes)
		}
		for d := range before.Files {
			_, left := after.Files[d]
			if wasThere := healthy.Files[d] > 0; wasThere && !left {
				n.t.Errorf("the file of blob %s is gone", d)
			}
		}
	})
}

// Each repairable problem alone is enough for a repair.
func TestEachRepairAlone(t *testing.T) {
	t.Parallel()
	everywhere(t, func(n *node) {
		for name, plant := range map[string]func() planted{
			"expired":     func() planted { return n.expired("old") },
			"upload":      func() planted { return n.abandoned("ref") },
			"interrupted": n.interrupted,
			"garbage":     func() planted { return n.garbage("garbage") },
			"unowned":     func() planted { return n.unowned("unowned") },
			"forgotten":   func() planted { return n.forgotten("forgotten") },
		} {
			if !n.d.Running() {
				n.d.Up()
				n.Store = n.d.Store("default")
				n.must(n.Collect(n.t.Context())) // what it does when it starts is done
			}
			p := plant()
			found := n.find()
			want(n.t, found, p)
			n.repair(found)
			if left := n.find(); len(left) > 0 {
				n.t.Errorf("%s: left after the repair: %+v", name, left)
			}
		}
	})
}
