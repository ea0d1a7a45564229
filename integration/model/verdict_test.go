package model

import (
	"maps"
	"slices"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune"
)

// finished judges a run that ended by itself, in good order or not.
func (r *run) finished() {
	m := r.m
	m.t.Helper()
	if r.err != nil || r.report == nil || len(r.report.Errors) > 0 {
		m.t.Fatalf("the run failed: %v", r.err)
	}
	after := m.capture()
	m.noHarm("the run", r.before, after)
	r.unitsTogether(after)
	r.onlyPlanned(after)
	r.stays(after)
	r.reclaimed(after)
	r.nothingOfOurs(after)
	m.tally.add("records untagged", len(r.report.Untagged))
	m.tally.add("objects reclaimed", r.report.Reclaimed.Blobs+r.report.Reclaimed.Snapshots)
	m.tally.add("killed runs finished", len(r.report.Recovered))
}

// unitsTogether holds where the names of an image go together: all that were
// there are, or none. One image is what has one image ID.
func (r *run) unitsTogether(after *oracle.State) {
	is := after.Namespaces[criSpace]
	if r.before.Namespaces[criSpace] == nil || is == nil {
		return
	}
	before := withoutCollectible(r.before)
	left, gone := map[digest.Digest]string{}, map[digest.Digest]string{}
	one := before.OneOf(criSpace)
	for name, image := range before.Namespaces[criSpace].Images {
		if is.Images[name].Target.Digest == image.Target.Digest {
			left[one[image.Target.Digest]] = name
		} else {
			gone[one[image.Target.Digest]] = name
		}
	}
	for target, name := range gone {
		if other, stays := left[target]; stays {
			r.m.errorf("%s in %s is gone, but %s of the same image stays", name, criSpace, other)
		}
	}
}

// undisturbed judges a run in whose time nobody else came.
func (r *run) undisturbed() {
	m := r.m
	m.t.Helper()
	if len(r.report.Changes)+len(r.report.Skipped)+len(r.report.Restored) > 0 {
		m.errorf("I4: nobody came, but changes %v, skipped %+v, restored %+v", r.report.Changes, r.report.Skipped, r.report.Restored)
	}
	// What a killed run left is known only when it is being finished.
	if len(r.report.Recovered) == 0 {
		if r.report.Others != (prune.Amount{}) {
			m.errorf("I4: nobody came, but others took %+v", r.report.Others)
		}
		if diff := cmp.Diff(r.plan.Predicted(), r.report.Reclaimed); diff != "" {
			m.errorf("I4: reclaimed (-predicted +measured):\n%s", diff)
		}
		if diff := cmp.Diff(r.plan.Garbage(), r.report.Garbage); diff != "" {
			m.errorf("I4: garbage (-predicted +measured):\n%s", diff)
		}
	}
	if again := m.planOver(r.store, r.policy); !again.Empty() {
		m.errorf("I5: a second run would do more: %s", describe(again))
	}
}

// reclaimed compares the report with the disk, byte for byte, and sees to it
// that no later collection takes what the run should have.
func (r *run) reclaimed(after *oracle.State) {
	m := r.m
	m.t.Helper()
	said := r.report.Reclaimed.ContentBytes + r.report.Garbage.ContentBytes + r.report.Others.ContentBytes
	if lost := oracle.DiskFreed(r.before, after); lost != said {
		m.errorf("I3: the disk lost %d bytes of blobs, the report says %d", lost, said)
	}
	if !r.report.Measured || !r.report.Verified {
		m.errorf("I3: measured %v, verified %v", r.report.Measured, r.report.Verified)
	}
	if r.report.Grace != nil {
		return
	}
	m.must(m.in("default").Collect(m.ctx))
	m.same("I3: a collection after the run", after, m.capture())
}

// onlyPlanned fails the test if a record, lease, container or upload changed
// that the plan does not name, or a record did not that it does. What the plan
// says stays has a check of its own, [run.stays]. A record whose time a client
// has set to end since the plan was made, which the run skips, goes with any
// collection.
func (r *run) onlyPlanned(after *oracle.State) {
	m := r.m
	m.t.Helper()
	if err := oracle.CheckUntouched(r.theirs(), after); err != nil {
		m.errorf("I2: touched:\n%v", err)
	}
	actions := map[string]prune.Decision{}
	standIns := map[string]bool{}
	for _, d := range r.plan.Decisions {
		actions[d.Namespace+" "+d.Name] = d
		standIns[d.Namespace+" "+d.StandIn] = d.StandIn != ""
	}
	ended := r.before.Collectible()
	for ns, was := range r.before.Namespaces {
		now := after.Namespaces[ns]
		for name, image := range was.Images {
			left, there := now.Images[name]
			d, planned := actions[ns+" "+name]
			switch {
			case planned && d.Action != prune.Keep:
				if d.StandIn != "" && !there && !slices.Contains(ended[ns], name) && now.Images[d.StandIn].Target.Digest != image.Target.Digest {
					m.errorf("I2: %s in %s has no stand-in", name, ns)
				}
			case !planned && there && !cmp.Equal(image, left):
				m.errorf("I2: %s in %s was changed:\n%s", name, ns, cmp.Diff(image, left))
			}
		}
		for name := range now.Images {
			_, was := was.Images[name]
			if !was && !standIns[ns+" "+name] && !r.restored(ns, name) {
				m.errorf("I2: %s in %s was made", name, ns)
			}
		}
	}
}

// theirs is the store before the run without what the run may end: leases and
// half-written plans of killed runs, and the uploads that it was to abort.
func (r *run) theirs() *oracle.State {
	was := *r.before
	was.Namespaces = map[string]*oracle.Namespace{}
	for name, ns := range r.before.Namespaces {
		left := *ns
		left.Leases, left.Ingests = maps.Clone(ns.Leases), maps.Clone(ns.Ingests)
		maps.DeleteFunc(left.Leases, func(_ string, l oracle.Lease) bool { return ofRun(l) })
		maps.DeleteFunc(left.Ingests, func(ref string, _ content.Status) bool { return strings.HasPrefix(ref, "ctr-prune-plan-") })
		for _, u := range r.plan.Uploads {
			if u.Action == prune.Remove && u.Namespace == name {
				delete(left.Ingests, u.Ref)
			}
		}
		was.Namespaces[name] = &left
	}
	return &was
}

// restored says whether the report tells that a record was put back.
func (r *run) restored(ns, name string) bool {
	all := r.report.Restored
	for _, recovered := range r.report.Recovered {
		all = append(all, recovered.Restored...)
	}
	for _, back := range all {
		if back.Namespace == ns && back.Name == name {
			return true
		}
	}
	return false
}

// nothingOfOurs fails the test if a lease, a plan or an upload of the run is
// left where it worked.
func (r *run) nothingOfOurs(after *oracle.State) {
	m := r.m
	m.t.Helper()
	left := interrupted(after)
	for _, ns := range r.plan.Interrupted() {
		if slices.Contains(left, ns) {
			m.errorf("I13: the killed run in %s was not finished", ns)
		}
	}
	for _, ns := range left {
		if !slices.Contains(interrupted(r.before), ns) {
			m.errorf("I13: the run lease is left in %s", ns)
		}
	}
	for ns, now := range after.Namespaces {
		for ref := range now.Ingests {
			if _, was := r.before.Namespaces[ns].Ingests[ref]; !was {
				m.errorf("I13: upload %s is left in %s", ref, ns)
			}
		}
	}
	for d := range after.Files {
		if _, was := r.before.Files[d]; !was && (r.report.Grace == nil || len(r.report.Untagged) == 0) {
			m.errorf("I13: blob %s is left", d)
		}
	}
	if len(left) == 0 {
		m.killed = nil
	}
}

// ofRun says whether a lease is one that a run has while it lasts.
func ofRun(lease oracle.Lease) bool {
	kind := leases.KindOf(lease.Lease)
	return kind == leases.KindRun || kind == leases.KindClaim
}

// interrupted lists the namespaces in which a killed run waits, sorted.
func interrupted(s *oracle.State) []string {
	var names []string
	for name, ns := range s.Namespaces {
		for _, lease := range ns.Leases {
			if ofRun(lease) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// unchanged judges a run that never began.
func (r *run) unchanged(what string) {
	r.m.t.Helper()
	r.m.same(what, r.before, r.m.capture())
}

// same fails the test unless two states of the store are.
func (m *machine) same(what string, before, after *oracle.State) {
	m.t.Helper()
	if diff := oracle.Differences(before, after); diff != "" {
		m.errorf("%s changed the store:\n%s", what, diff)
	}
}
