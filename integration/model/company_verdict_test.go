package model

import (
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
	ours "github.com/ctr-prune/ctr-prune/leases"
)

// judge is for a run among others, when all have ended their work.
func (c *company) judge() {
	m := c.m
	m.t.Helper()
	if c.declined() { // what it has deleted is held for the next run
		c.look()
		m.boots++ // its process is over, too
		m.leftBy(c.run)
		m.journal, m.seen, m.newcomers = nil, nil, nil
		return
	}
	if c.err != nil || c.report == nil || len(c.report.Errors) > 0 {
		m.t.Fatalf("the run failed: %v", c.err)
	}
	after := m.capture()
	c.eachRecord(after)
	c.allTold()
	c.reachable(after)
	c.users(after)
	c.unitsWhole(after)
	c.nothingTouched(after)
	c.nothingLeft(after)
	c.noMoreThanLost(after)
	m.tally.add("records untagged", len(c.report.Untagged))
	m.tally.add("records put back for clients", len(c.report.Restored))
	m.tally.add("records left alone for clients", len(c.report.Skipped))
	m.journal, m.seen, m.newcomers = nil, nil, nil
}

// deletedAreWhole holds at every instant: what the run has deleted is all there,
// until the run lets go of it.
func (c *company) deletedAreWhole(now *oracle.State) {
	m := c.m
	m.t.Helper()
	was, is := copyOf(c.before), copyOf(now)
	for name, ns := range was.Namespaces {
		deleted := map[string]images.Image{}
		for _, e := range m.journal.entries {
			switch {
			case e.ns != name:
			case e.what == itUnlabels: // what only build history holds may go
				ns.Snapshots = nil
			case e.what == itDeletes:
				if _, gone := m.journal.givenUp(name, e.image.Target.Digest); !gone {
					deleted[e.name] = e.image
				}
			}
		}
		ns.Images = deleted
		if is.Namespaces[name] != nil {
			is.Namespaces[name].Images = deleted
		}
	}
	if err := oracle.CheckComplete(was, is); err != nil {
		m.errorf("I7: what the run deleted is not held:\n%v", err)
	}
}

// copyOf copies a state as far as the copy's own maps can be replaced.
func copyOf(s *oracle.State) *oracle.State {
	c := *s
	c.Namespaces = map[string]*oracle.Namespace{}
	for name, ns := range s.Namespaces {
		own := *ns
		own.Images, own.Containers, own.Leases = maps.Clone(ns.Images), maps.Clone(ns.Containers), maps.Clone(ns.Leases)
		own.Ingests = maps.Clone(ns.Ingests)
		c.Namespaces[name] = &own
	}
	return &c
}

// reachable holds each state that was seen against what is there now: nothing
// is gone that something refers to.
func (c *company) reachable(after *oracle.State) {
	m := c.m
	m.t.Helper()
	after = c.withoutLateLeases(after)
	for i, was := range m.seen {
		was = withoutCollectible(was)
		c.withoutRemoved(was)
		was = c.withDeleted(was)
		c.unpackAgain(was)
		pulledAnew(was, after)
		err := errors.Join(oracle.CheckComplete(was, after), oracle.CheckReachable(was, after, oracle.AllowOrphanedSnapshots()))
		if err != nil {
			m.errorf("I1: what was there after %d acts is not whole:\n%v", i, err)
			return
		}
	}
}

// withoutLateLeases leaves out what clients took when the run had collected: a
// manifest that a flat lease kept may have lost what it refers to by then.
func (c *company) withoutLateLeases(after *oracle.State) *oracle.State {
	punctual, collects := copyOf(after), false
	for _, e := range c.m.journal.entries {
		switch e.what {
		case itReleases, itFrees:
			collects = true
		case theyHold:
			if collects {
				delete(punctual.Namespaces[e.ns].Leases, e.name)
			}
		}
	}
	return punctual
}

// withDeleted adds the records that the run deleted to a state that was seen
// when they were gone: what only they held may go.
func (c *company) withDeleted(s *oracle.State) *oracle.State {
	all := copyOf(s)
	all.Documents = maps.Clone(s.Documents)
	maps.Copy(all.Documents, c.before.Documents)
	for _, e := range c.m.journal.entries {
		ns := all.Namespaces[e.ns]
		if e.what != itDeletes || ns == nil {
			continue
		}
		// Under a name of its own: another image may have its name by now.
		gone := e.image
		gone.Name = "deleted: " + e.name
		ns.Images[gone.Name] = gone
	}
	return all
}

// pulledAnew gives blobs that were collected and came back what they refer to
// by now: the image may have come without the signatures that it had.
func pulledAnew(was, after *oracle.State) {
	for name, ns := range was.Namespaces {
		now := after.Namespaces[name]
		if now == nil {
			continue
		}
		ns.Content = maps.Clone(ns.Content)
		for d, info := range ns.Content {
			if back, there := now.Content[d]; there && !back.CreatedAt.Equal(info.CreatedAt) {
				info.Labels = back.Labels
				ns.Content[d] = info
			}
		}
	}
}

// unpackAgain allows one more thing that docs/design.md tells of: an image whose
// snapshots only build history held by then, and that gets a name again when
// the run has looked for that for the last time, may have lost its snapshots.
func (c *company) unpackAgain(s *oracle.State) {
	j := c.m.journal
	for at, e := range j.entries {
		img, ns := c.m.shelf.byTarget[e.image.Target.Digest], s.Namespaces[e.ns]
		freed, _ := j.last(itFrees, e.ns, "", j.end())
		looked, ok := j.last(itImages, e.ns, "", freed)
		unlabelled, done := j.last(itUnlabels, e.ns, "", freed)
		if e.what != theyWrite || img == nil || ns == nil || !ok || !done || at < looked || at < unlabelled {
			continue
		}
		if !j.deleted(e.ns, img.Target.Digest, at) {
			continue
		}
		ns.Content = maps.Clone(ns.Content)
		for _, one := range img.Manifests() {
			if config, there := ns.Content[one.Config.Desc.Digest]; there {
				config.Labels = nil
				ns.Content[one.Config.Desc.Digest] = config
			}
		}
		c.m.tally.add("named again when its snapshots went", 1)
	}
}

// withoutRemoved takes the records out of a state that clients removed or moved
// later, or ever.
func (c *company) withoutRemoved(s *oracle.State) {
	for _, e := range c.m.journal.entries {
		ns := s.Namespaces[e.ns]
		if e.what == collected && ns != nil { // judged by itself
			delete(ns.Images, e.name)
		}
		if e.what == theyWrite && ns != nil && e.was.Name != "" && e.was.Target.Digest != e.image.Target.Digest {
			if ns.Images[e.name].Target.Digest == e.was.Target.Digest {
				delete(ns.Images, e.name)
			}
		}
	}
}

// nothingTouched compares what is none of the run's business.
func (c *company) nothingTouched(after *oracle.State) {
	m := c.m
	m.t.Helper()
	for _, was := range []*oracle.State{c.before, m.seen[len(m.seen)-1]} {
		was = copyOf(was)
		for _, ns := range was.Namespaces {
			maps.DeleteFunc(ns.Leases, func(_ string, l oracle.Lease) bool { return l.Over(after.At) })
			maps.DeleteFunc(ns.Leases, func(_ string, l oracle.Lease) bool { return ours.KindOf(l.Lease).Ours() || l.ID == "collect-now" })
			maps.DeleteFunc(ns.Ingests, func(ref string, _ content.Status) bool { return strings.HasPrefix(ref, "ctr-prune-plan-") })
		}
		if err := oracle.CheckUntouched(was, after); err != nil {
			m.errorf("I2: touched:\n%v", err)
		}
	}
}

// nothingLeft fails the test if something of the run is.
func (c *company) nothingLeft(after *oracle.State) {
	m := c.m
	m.t.Helper()
	if left := interrupted(after); len(left) > 0 {
		m.errorf("I13: the run lease is left in %v", left)
	}
	for name, ns := range after.Namespaces {
		was := c.before.Namespaces[name]
		if was == nil {
			was = &oracle.Namespace{} // a client has made it
		}
		for ref := range ns.Ingests {
			if _, there := was.Ingests[ref]; !there {
				m.errorf("I13: upload %s is left in %s", ref, name)
			}
		}
		for d, info := range ns.Content {
			if _, there := was.Content[d]; !there && info.Labels["ctr-prune/plan"] != "" {
				m.errorf("I13: plan %s is left in %s", d, name)
			}
		}
	}
}

// noMoreThanLost compares what the report claims with the disk. Others have
// written and removed as well, so it is a bound; who comes after the run's own
// measurement changes what there is to compare.
func (c *company) noMoreThanLost(after *oracle.State) {
	m := c.m
	m.t.Helper()
	if !c.report.Measured || !c.report.Verified {
		m.errorf("I3: measured %v, verified %v", c.report.Measured, c.report.Verified)
	}
	freed, _ := m.journal.lastOf(itFrees)
	if acted, ok := m.journal.lastOf(theyAct); ok && acted > freed {
		return
	}
	was := *c.before
	was.Files = maps.Clone(c.before.Files)
	for _, s := range m.seen {
		maps.Copy(was.Files, s.Files)
	}
	said := c.report.Reclaimed.ContentBytes + c.report.Garbage.ContentBytes + c.report.Others.ContentBytes
	if lost := oracle.DiskFreed(&was, after); said > lost {
		m.errorf("I3: the disk lost %d bytes of blobs at most, the report says %d", lost, said)
	}
}

func (j *journal) lastOf(what string) (at int, ok bool) {
	for i, e := range j.entries {
		if e.what == what {
			at, ok = i, true
		}
	}
	return at, ok
}

func recordOf(image images.Image) string {
	if image.Name == "" {
		return "nothing"
	}
	return fmt.Sprintf("%s, %v, written %s", image.Target.Digest, image.Labels, image.UpdatedAt.Format("15:04:05.000"))
}
