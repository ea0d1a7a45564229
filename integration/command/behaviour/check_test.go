package behaviour_test

import (
	"maps"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// expected says which of the rules below do not hold for a run.
type expected struct {
	// orphans: the config of a removed image that build history holds need not
	// keep its snapshots.
	orphans bool
	// changes: the store changed during the run, so that what went is not
	// what was predicted, and is not all that the plan said.
	changes bool
	// leases are those that the run is to take away.
	leases []string
	// recovers: the run finishes another one, whose plan no one knows until
	// then. Snapshots that only build history held go beside this run's plan.
	recovers bool
}

// check is the independent look at every run. It compares the store, read
// through containerd and on the file system, before and after.
//
//   - Each record that survived is as complete as it was, each container's
//     image has a record, and nothing that is still referred to is gone.
//   - Leases, containers, uploads and sandboxes are as they were.
//   - The blob files that are gone from the disk are those that the report
//     lists, and their bytes are reclaimed.contentBytes; snapshots the same.
//   - Every record did what its action says, and the actions add up.
//   - No lease of the run is left.
func (p pruned) check(e expected) {
	p.t.Helper()
	var opts []oracle.Option
	if e.orphans {
		opts = append(opts, oracle.AllowOrphanedSnapshots())
	}
	if err := oracle.Check(p.before, p.after, opts...); err != nil {
		p.t.Errorf("the prune did harm:\n%v", err)
	}
	if err := oracle.CheckUntouched(p.before, p.after, e.leases...); err != nil {
		p.t.Errorf("the prune touched what is none of its business:\n%v", err)
	}
	p.checkNumbers(e)
	p.checkActions(e)
	p.checkLeases()
}

func (p pruned) checkNumbers(e expected) {
	p.t.Helper()
	if ran := p.Counts.Remove+p.Counts.StandIn > 0; !p.Measured || ran && !p.Verified {
		p.t.Errorf("measured: %v, verified: %v", p.Measured, p.Verified)
	}
	freed := oracle.DiskFreed(p.before, p.after)
	if told := p.Reclaimed.ContentBytes; freed != told {
		p.t.Errorf("the disk gave back %d bytes, the report says %d", freed, told)
	}
	// Of a killed run that did get as far as its collection, directories of
	// snapshots may be left.
	garbage := p.Garbage
	if e.recovers {
		garbage.Snapshots, garbage.SnapshotBytes, garbage.TotalBytes = 0, 0, garbage.ContentBytes
	}
	if (garbage != prune.Amount{}) {
		p.t.Errorf("garbage: %+v", p.Garbage)
	}
	if !e.changes && (p.Reclaimed != p.Predicted || len(p.Changes) > 0 || p.Others != prune.Amount{}) {
		p.t.Errorf("reclaimed %+v, predicted %+v, others %+v, changes %+v", p.Reclaimed, p.Predicted, p.Others, p.Changes)
	}
	if p.Reclaimed.TotalBytes != p.Reclaimed.ContentBytes+p.Reclaimed.SnapshotBytes {
		p.t.Errorf("the total of %+v is wrong", p.Reclaimed)
	}
	gone := p.gone()
	if e.recovers {
		gone = slices.DeleteFunc(gone, func(o string) bool { return !slices.Contains(p.deleted(), o) && strings.Contains(o, "/") })
	}
	if diff := cmp.Diff(gone, slices.Sorted(slices.Values(p.deleted()))); diff != "" {
		p.t.Errorf("what is gone (-store +report):\n%s", diff)
	}
}

// deleted are the digests and the snapshots that the report names.
func (p pruned) deleted() (names []string) {
	for _, d := range p.Deleted {
		if name := d.Digest.String(); name != "" {
			names = append(names, name)
		} else {
			names = append(names, d.Snapshot)
		}
	}
	return names
}

// untagged are the names of the records that the report names, sorted.
func (p pruned) untagged() (names []string) {
	for _, r := range p.Untagged {
		names = append(names, r.Name)
	}
	return slices.Sorted(slices.Values(names))
}

// gone lists the blob files and the snapshots that are no more, in the way of
// deleted.
func (p pruned) gone() []string {
	var gone []string
	for d := range p.before.Files {
		if _, left := p.after.Files[d]; !left {
			gone = append(gone, d.String())
		}
	}
	for name, ns := range p.before.Namespaces {
		for key := range ns.Snapshots {
			if _, left := p.after.Namespaces[name].Snapshots[key]; !left {
				gone = append(gone, key.String())
			}
		}
	}
	slices.Sort(gone)
	return gone
}

func (p pruned) checkActions(e expected) {
	p.t.Helper()
	c := p.Counts
	if c.Images != c.Remove+c.Keep+c.StandIn || c.Images != len(p.Images) {
		p.t.Errorf("the counts do not add up: %+v, %d images", c, len(p.Images))
	}
	for _, image := range p.Images {
		if image.Reason == "" {
			p.t.Errorf("no reason for record %.100q", image.Name)
		}
		_, left := p.after.Namespaces[image.Namespace].Images[image.Name]
		if left != (image.Action == prune.Keep) && !e.changes {
			p.t.Errorf("record %.100q: %s, is there: %v", image.Name, image.Action, left)
		}
		if image.Action == prune.StandIn && p.after.Namespaces[image.Namespace].Images[image.StandIn].Target.Digest != image.Target && !e.changes {
			p.t.Errorf("record %.100q has no stand-in %q", image.Name, image.StandIn)
		}
	}
	for name, ns := range p.before.Namespaces {
		if !slices.Contains(p.Policy.Namespaces, name) && !maps.EqualFunc(ns.Images, p.after.Namespaces[name].Images, sameRecord) {
			p.t.Errorf("the records of namespace %q, which was not to be pruned, are others now", name)
		}
	}
}

func (p pruned) checkLeases() {
	p.t.Helper()
	for name, ns := range p.after.Namespaces {
		for id := range ns.Leases {
			if strings.HasPrefix(id, "ctr-prune") {
				p.t.Errorf("lease %q is left in namespace %q", id, name)
			}
		}
	}
}
