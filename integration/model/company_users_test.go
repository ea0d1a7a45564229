package model

import (
	"maps"

	"github.com/containerd/containerd/v2/core/containers"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// users sees to it that containers have their images: all that were there when
// somebody could use them, but for what clients took from them themselves. Of
// containers that were created meanwhile one exception is documented.
func (c *company) users(after *oracle.State) {
	m := c.m
	m.t.Helper()
	all := c.joined()
	after = copyOf(after)
	c.forgive(after)
	rest := copyOf(all)
	for _, n := range m.newcomers {
		ns := all.Namespaces[n.ns]
		container, there := ns.Containers[n.id]
		if !there {
			continue
		}
		delete(rest.Namespaces[n.ns].Containers, n.id)
		alone, now := copyOf(all), copyOf(after)
		for _, other := range alone.Namespaces {
			other.Containers = nil
		}
		alone.Namespaces[n.ns].Containers = map[string]containers.Container{n.id: container}
		if c.inTheGap(n) {
			m.tally.add("containers in the documented gap", 1)
			c.pretend(now, n)
		}
		if err := oracle.CheckContainers(alone, now); err != nil {
			m.errorf("I1: created during the run (prepared at %d, recorded at %d):\n%v", n.prepared, n.recorded, err)
		}
	}
	if err := oracle.CheckContainers(rest, after); err != nil {
		m.errorf("I1: the run did harm:\n%v", err)
	}
}

// joined is all that was there at some time, but for what clients removed.
func (c *company) joined() *oracle.State {
	all := withoutCollectible(c.before)
	for _, ns := range all.Namespaces {
		ns.Content, ns.Snapshots = maps.Clone(ns.Content), maps.Clone(ns.Snapshots)
	}
	all.Documents = maps.Clone(all.Documents)
	for _, s := range c.m.seen {
		maps.Copy(all.Documents, s.Documents)
		for name, ns := range withoutCollectible(s).Namespaces {
			into := all.Namespaces[name]
			if into == nil {
				all.Namespaces[name] = ns
				continue
			}
			maps.Copy(into.Images, ns.Images)
			maps.Copy(into.Content, ns.Content)
			maps.Copy(into.Snapshots, ns.Snapshots)
			maps.Copy(into.Containers, ns.Containers)
		}
	}
	c.withoutRemoved(all)
	return all
}

// inTheGap is the one that docs/design.md tells of: who has looked an image up
// before its record went, prepares a snapshot only after the run has looked for
// the last time, and has no container by the time that the run lists these.
func (c *company) inTheGap(n *newcomer) bool {
	j := c.m.journal
	freed, ok := j.givenUp(n.ns, n.target)
	if !ok {
		return false
	}
	look, ok := j.lastLook(freed)
	if !ok || !j.deleted(n.ns, n.target, j.end()) {
		return false
	}
	listed, ok := j.last(itUsers, n.ns, "", freed)
	return ok && n.prepared > look.layers[n.ns] && n.recorded > listed
}

// pretend adds what a container in the gap may lack: its image's name, and a
// record of it.
func (c *company) pretend(now *oracle.State, n *newcomer) {
	for _, e := range c.m.journal.entries {
		if e.what == itDeletes && e.ns == n.ns && e.image.Target.Digest == n.target {
			if _, there := now.Namespaces[n.ns].Images[e.name]; !there {
				now.Namespaces[n.ns].Images[e.name] = e.image
			}
		}
	}
}

// forgive adds a record for images of which a client took a record away when
// the run could not look any more: until then that record kept the image, and
// so others of it went.
func (c *company) forgive(after *oracle.State) {
	j := c.m.journal
	for at, e := range j.entries {
		taken := e.what == theyWrite && e.was.Name != "" && e.was.Target.Digest != e.image.Target.Digest
		freed, _ := j.givenUp(e.ns, e.was.Target.Digest)
		look, ok := j.lastLook(freed)
		if ok && taken && at > look.images[e.ns] && j.deleted(e.ns, e.was.Target.Digest, j.end()) {
			addRecord(after, e.ns, e.was.Target.Digest)
		}
	}
}

func addRecord(s *oracle.State, ns string, target digest.Digest) {
	record := images.Image{Name: "taken away: " + target.String()}
	record.Target.Digest = target
	s.Namespaces[ns].Images[record.Name] = record
}
