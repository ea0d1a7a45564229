package answers_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

type runsDocument struct {
	Runs []prune.Run `json:"runs"`
}

// graced prunes with a grace and returns the run.
func (n *node) graced(args ...string) prune.Run {
	n.t.Helper()
	r := n.run(0, append([]string{"--all", "--force", "--grace", "24h"}, args...)...)
	n.wantText(r.Stdout, "Untagged: "+n.app.Name, "Kept until ", "undo with `ctr-prune undo ", "are freed after that", "Total reclaimed space: 0B")
	runs := read[runsDocument](n, "runs").Runs
	if len(runs) != 1 {
		n.t.Fatalf("runs: %+v", runs)
	}
	n.wantText(r.Stdout, runs[0].Name)
	return runs[0]
}

// restart starts the daemon anew, which collects garbage, and stops it again
// where the command works on the root.
func (n *node) restart() {
	n.t.Helper()
	if n.stopped {
		n.daemon.Up()
	} else {
		n.daemon.Restart()
	}
	n.must(n.daemon.Store("default").Collect(n.t.Context()))
	if n.stopped {
		n.daemon.Stop()
	}
}

// reboot ends the daemon as a power failure does, and takes away what a
// machine does not keep: the state under /run.
func (n *node) reboot() {
	n.t.Helper()
	if !n.stopped {
		n.daemon.Kill()
	}
	n.must(os.RemoveAll(n.daemon.State()))
	n.daemon.Up()
	n.must(n.daemon.Store("default").Collect(n.t.Context()))
	if n.stopped {
		n.daemon.Stop()
	}
}

// What a run with a grace removed survives a restart, a reboot and a
// collection, and comes back with everything it had.
func TestUndoAfterARestart(t *testing.T) {
	everywhere(t, func(n *node) {
		before := n.state()
		for _, ends := range []func(){n.restart, n.reboot} {
			run := n.graced()
			if len(run.Records) != 5 || run.Holds.TotalBytes == 0 {
				t.Errorf("the run: %+v", run)
			}
			ends()
			n.graceIsTold(run)
			r := n.run(0, "undo")
			n.wantText(r.Stdout, "Restored: "+n.app.Name, "Restored 5 images from run "+run.Name+".")
			n.everythingIsBack(before)
		}
		n.wantText(n.run(1, "undo").Stderr, "nothing to undo")
	})
}

// everythingIsBack checks that nothing tells of a run that was undone.
func (n *node) everythingIsBack(before *oracle.State) {
	n.t.Helper()
	after := n.state()
	for name, image := range before.Namespaces["default"].Images {
		back := after.Namespaces["default"].Images[name]
		if diff := cmp.Diff(image.Labels, back.Labels); diff != "" || back.Target.Digest != image.Target.Digest {
			n.t.Errorf("%s: %v, labels (-before +after):\n%s", name, back.Target, diff)
		}
	}
	n.nothingLost(before, after)
	if left := read[runsDocument](n, "runs").Runs; len(left) > 0 {
		n.t.Errorf("runs left: %+v", left)
	}
}

// graceIsTold checks that df and explain name the grace.
func (n *node) graceIsTold(run prune.Run) {
	n.t.Helper()
	for _, h := range read[prune.DiskUsage](n, "df").Holders {
		if h.Class == prune.HeldByGrace && h.TotalBytes < run.Holds.TotalBytes {
			n.t.Errorf("df says that graces hold %+v, runs %+v", h, run.Holds)
		}
	}
	e := read[prune.Explanation](n, "explain", n.app.Layers[3].Desc.Digest.String())
	if len(e.Chains) != 1 || !strings.Contains(e.Chains[0][0].Name, run.Name) {
		n.t.Errorf("the chains of what is kept: %+v", e.Chains)
	}
}

// nothingLost checks that every blob, snapshot and label is as it was.
func (n *node) nothingLost(before, after *oracle.State) {
	n.t.Helper()
	for name, ns := range before.Namespaces {
		for dgst, info := range ns.Content {
			if diff := cmp.Diff(info.Labels, after.Namespaces[name].Content[dgst].Labels); diff != "" {
				n.t.Errorf("the labels of %s (-before +after):\n%s", dgst, diff)
			}
		}
		for key := range ns.Snapshots {
			if _, ok := after.Namespaces[name].Snapshots[key]; !ok {
				n.t.Errorf("snapshot %s is gone", key)
			}
		}
	}
}

// A name that was taken meanwhile stays as it is, and is told.
func TestUndoOfANameThatWasTaken(t *testing.T) {
	everywhere(t, func(n *node) {
		run := n.graced()
		n.change(func(s imagestore.Store) error { return s.Tag(t.Context(), n.used.Name, n.app.Name) })
		r := n.run(1, "undo", run.Name[:18])
		n.wantText(r.Stderr, n.app.Name, "the name is now taken", "ctr-prune runs drop "+run.Name+"\n")
		n.wantText(r.Stdout, "Restored: docker.io/library/app:latest")
		if got := n.state().Namespaces["default"].Images[n.app.Name].Target.Digest; got != n.used.Target.Digest {
			t.Errorf("the name points to %s", got)
		}
		// The grace stays for another try.
		n.change(func(s imagestore.Store) error { return s.Untag(t.Context(), n.app.Name) })
		n.wantText(n.run(0, "undo").Stdout, "Restored: "+n.app.Name)
	})
}

// Dropping a run frees what it was said to hold.
func TestDropOfARun(t *testing.T) {
	everywhere(t, func(n *node) {
		before := n.state()
		run := n.graced()
		n.wantText(n.run(2, "runs", "drop", run.Name).Stderr, "--force")
		got := read[struct {
			Run       string       `json:"run"`
			Reclaimed prune.Amount `json:"reclaimed"`
		}](n, "runs", "drop", "--force", run.Name)
		freed := oracle.DiskFreed(before, n.state())
		// The plan blob was made and went as well.
		if plan := got.Reclaimed.ContentBytes - freed; got.Reclaimed != run.Holds || plan <= 0 || plan > 64<<10 {
			t.Errorf("reclaimed %+v, the run held %+v, the disk gave back %d bytes", got.Reclaimed, run.Holds, freed)
		}
		if got.Reclaimed.Snapshots != 5 {
			t.Errorf("%d snapshots are gone, want those of app, built and dangling", got.Reclaimed.Snapshots)
		}
		n.wantText(n.run(1, "undo", run.Name).Stderr, "nothing to undo")
	})
}
