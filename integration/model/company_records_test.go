package model

import (
	"maps"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

type recordKey struct{ ns, name string }

// eachRecord goes through all that was done to records, in order, and judges
// what the run did to each. What is there in the end follows from it.
func (c *company) eachRecord(after *oracle.State) {
	m := c.m
	m.t.Helper()
	planned := map[recordKey]prune.Decision{}
	for _, d := range going(c.plan) {
		planned[recordKey{d.Namespace, d.Name}] = d
	}
	is := map[recordKey]images.Image{}
	for ns, was := range c.before.Namespaces {
		for name, image := range was.Images {
			is[recordKey{ns, name}] = image
		}
	}
	owed := map[recordKey]images.Image{}
	for at, e := range m.journal.entries {
		key := recordKey{e.ns, e.name}
		switch e.what {
		case theyWrite:
			is[key] = e.image
			delete(owed, key)
		case itDeletes:
			if c.mayDelete(planned[key], e, at) {
				owed[key] = e.image
			}
			delete(is, key)
		case collected:
			c.mayCollect(is, planned[key], e, at)
			delete(is, key)
		case itCreates:
			c.mayCreate(planned, e, at)
			is[key] = e.image
			delete(owed, key)
		}
		if is[key].Name == "" {
			delete(is, key)
		}
	}
	for key, was := range owed {
		m.errorf("I2: %s in %s was deleted right after it was written as %s, and did not come back", key.name, key.ns, recordOf(was))
	}
	for ns, now := range after.Namespaces {
		for name, image := range now.Images {
			want := is[recordKey{ns, name}]
			if image.Target.Digest != want.Target.Digest || !maps.Equal(image.Labels, want.Labels) {
				m.errorf("I2: %s in %s is %s; it should be %s", name, ns, recordOf(image), recordOf(want))
			}
			delete(is, recordKey{ns, name})
		}
	}
	for key, want := range is {
		m.errorf("I2: %s in %s is gone; it should be %s", key.name, key.ns, recordOf(want))
	}
}

// mayDelete judges a deletion: of what the plan names, if nobody has written
// the record since the plan was made. When a deletion is on its way a record
// can be written without being moved: a condition of containerd's deletion is
// its target alone. Then the run has to make it again, which is returned.
func (c *company) mayDelete(d prune.Decision, e entry, at int) (owed bool) {
	m := c.m
	m.t.Helper()
	if d.Name == "" || d.Target.Digest != e.image.Target.Digest {
		m.errorf("I2: %s in %s was deleted, %s; the plan says %q of %s", e.name, e.ns, recordOf(e.image), d.Action, d.Target.Digest)
		return false
	}
	looks := m.journal.looks()
	if len(looks) == 0 {
		m.errorf("I2: the run deleted %s without a look", e.name)
		return false
	}
	written, ok := m.journal.last(theyWrite, e.ns, e.name, at)
	if !ok {
		return false
	}
	if written < looks[0].images[e.ns] {
		m.errorf("I2: %s in %s was written again before the run looked, and deleted", e.name, e.ns)
		return false
	}
	m.tally.add("deleted as they were written", 1)
	return true
}

// mayCreate judges a record that the run made: a stand-in of the plan, or what
// it had deleted itself, as it was, or a stand-in for that.
func (c *company) mayCreate(planned map[recordKey]prune.Decision, e entry, at int) {
	m := c.m
	m.t.Helper()
	for key, d := range planned {
		if key.ns == e.ns && d.StandIn == e.name && d.Target.Digest == e.image.Target.Digest {
			return
		}
	}
	if deleted, ok := m.journal.last(itDeletes, e.ns, e.name, at); ok {
		was := planned[recordKey{e.ns, e.name}]
		if m.journal.entries[deleted].image.Target.Digest == e.image.Target.Digest && was.Name != "" && c.restored(e.ns, e.name) {
			if labels := m.journal.entries[deleted].image.Labels; !maps.Equal(labels, e.image.Labels) {
				m.errorf("I2: %s in %s came back with labels %v; it had %v", e.name, e.ns, e.image.Labels, labels)
			}
			return
		}
	}
	dangles := e.name == imagestore.NoneDangling(e.image.Target.Digest) || e.name == imagestore.MobyDangling(e.image.Target.Digest)
	if dangles && m.journal.deleted(e.ns, e.image.Target.Digest, at) && c.restored(e.ns, e.name) {
		return
	}
	m.errorf("I2: %s in %s was made: %s", e.name, e.ns, recordOf(e.image))
}

// allTold sees to it that each record of the plan is deleted or its reason
// told. As far as the run can tell, an expired one may have been removed by a
// collection: it is among those that are gone.
func (c *company) allTold() {
	m := c.m
	m.t.Helper()
	for _, d := range going(c.plan) {
		_, deleted := m.journal.last(itDeletes, d.Namespace, d.Name, m.journal.end())
		skips := 0
		for _, s := range c.report.Skipped {
			if s.Namespace == d.Namespace && s.Name == d.Name && s.Reason != "" {
				skips++
			}
		}
		if ends := c.before.Namespaces[d.Namespace].Images[d.Name].Labels[gcExpire]; ends != "" && skips == 0 {
			deleted = deleted || c.tells(recordKey{d.Namespace, d.Name})
		}
		if deleted == (skips > 0) || skips > 1 {
			m.errorf("I10: %s in %s: deleted %v, but told %d times to be left alone", d.Name, d.Namespace, deleted, skips)
		}
	}
}

// unitsWhole holds where the names of an image go together: with one that was
// there when the run looked for the last time, all that it had deleted are.
func (c *company) unitsWhole(after *oracle.State) {
	m := c.m
	m.t.Helper()
	now := after.Namespaces[criSpace]
	if now == nil {
		return
	}
	stays := map[digest.Digest]string{}
	for name, image := range now.Images {
		freed, _ := m.journal.givenUp(criSpace, image.Target.Digest)
		look, ok := m.journal.lastLook(freed)
		written, _ := m.journal.last(theyWrite, criSpace, name, m.journal.end())
		if ok && written < look.images[criSpace] {
			stays[image.Target.Digest] = name
		}
	}
	for at, e := range m.journal.entries {
		if e.what != itDeletes || e.ns != criSpace {
			continue
		}
		_, there := now.Images[e.name]
		by, kept := stays[e.image.Target.Digest]
		if _, written := m.journal.lastSince(theyWrite, e, at); !there && kept && !written {
			m.errorf("%s in %s is gone, but %s of the same image stays", e.name, e.ns, by)
		}
	}
}

// lastSince finds an entry about the same record after a place.
func (j *journal) lastSince(what string, of entry, after int) (at int, ok bool) {
	at, ok = j.last(what, of.ns, of.name, j.end())
	return at, ok && at > after
}
