package prune

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"
)

// outcome is what a collection leaves after a set of decisions.
type outcome struct {
	// freed are the objects that go because of the decisions.
	freed objects
	// garbage are those that nothing held before: any collection takes them.
	garbage objects
	// held are those of removed images that stay, with who holds them.
	held []Held
	// orphans are the configs that lose their snapshot labels.
	orphans []orphan
}

// Held is a blob or snapshot of a removed image that stays, and why.
type Held struct {
	Namespace string        `json:"namespace"`
	Digest    digest.Digest `json:"digest,omitempty"`
	Snapshot  string        `json:"snapshot,omitempty"`
	Bytes     int64         `json:"bytes"`
	// Keeper is one root that keeps it.
	Keeper
}

// foresee computes the outcome of the decisions by containerd's own rules.
// It also returns what is reachable then. What ended, leases of killed runs and
// abandoned uploads, goes with them: until then it keeps what it holds from any
// collection.
func foresee(c *collector, inv *Inventory, decisions []Decision, ended map[node]bool) (outcome, reached) {
	ch := change{ignored: ended, removed: make(map[node]bool), standIns: make(map[node]digest.Digest)}
	var victims, own []node
	for _, d := range decisions {
		if !d.gone() {
			continue
		}
		ch.removed[node{kind: kindImage, ns: d.Namespace, key: d.Name}] = true
		if d.Action == StandIn {
			ch.standIns[node{kind: kindImage, ns: d.Namespace, key: d.StandIn}] = d.Target.Digest
		}
		target := contentNode(d.Namespace, d.Target.Digest)
		victims = append(victims, target)
		if !d.collected { // where it is, the run touches nothing
			own = append(own, target)
		}
	}
	c.meet(ch)
	before := c.reach(change{})
	touched := c.mark(victims, change{})
	mine := touched
	if len(own) < len(victims) {
		mine = c.mark(own, change{})
	}
	o := outcome{orphans: c.orphans(ch, mine)}
	ch.unleased = make(map[node]bool, len(o.orphans))
	for _, orphan := range o.orphans {
		ch.unleased[orphan.node()] = true
	}
	after := c.reach(ch)
	o.freed, o.garbage = c.split(inv.objects(), before, after)
	o.held = c.heldBack(touched, after)
	return o, after
}

// meet numbers the records that a change adds.
func (c *collector) meet(ch change) {
	for n, target := range ch.standIns {
		c.graph.id(n)
		c.graph.id(node{kind: kindContent, ns: n.ns, key: target.String()})
	}
}

// split sorts what is unreachable afterwards into what is freed and what was
// garbage before.
func (c *collector) split(all objects, before, after reached) (freed, garbage objects) {
	freed, garbage = newObjects(), newObjects()
	for dgst, bytes := range all.blobs {
		switch {
		case c.fileStays(after, dgst):
		case c.fileStays(before, dgst):
			freed.blobs[dgst] = bytes
		default:
			garbage.blobs[dgst] = bytes
		}
	}
	for id, bytes := range all.snapshots {
		switch n := id.node(); {
		case after.holds(n):
		case before.holds(n):
			freed.snapshots[id] = bytes
		default:
			garbage.snapshots[id] = bytes
		}
	}
	return freed, garbage
}

// fileStays says whether a blob's file stays: its own namespaces are one
// reason, an upload that takes it from there for another is one too.
func (c *collector) fileStays(r reached, dgst digest.Digest) bool {
	for _, s := range c.homes[dgst] {
		if r.holds(node{kind: kindContent, ns: s.Name, key: dgst.String()}) {
			return true
		}
	}
	_, ok := c.awaiting(r, dgst)
	return ok
}

// awaiting returns a live upload that takes the blob from another namespace:
// the file stays for it, although its own namespace does not know the blob yet.
func (c *collector) awaiting(r reached, dgst digest.Digest) (upload node, ok bool) {
	for _, n := range c.awaited[dgst] {
		if r.holds(n) {
			return n, true
		}
	}
	return node{}, false
}

// heldBack lists the objects of removed images that stay, with their holders.
func (c *collector) heldBack(touched, after reached) []Held {
	var held []Held
	for n := range touched.all() {
		s := c.spaces[n.ns]
		if n.flat || s == nil {
			continue
		}
		switch n.kind {
		case kindContent:
			blob, known := s.Blobs[digest.Digest(n.key)]
			if k, ok := c.blobKeeper(n, after); known && ok {
				held = append(held, Held{Namespace: n.ns, Digest: blob.Digest, Bytes: blob.Size}.by(k))
			}
		case kindSnapshot:
			id := n.snapshot()
			if root, ok := after.root(n); c.exists(id) && ok {
				held = append(held, Held{Namespace: n.ns, Snapshot: n.key, Bytes: c.inv.size(id)}.by(c.keeper(root)))
			}
		}
	}
	slices.SortFunc(held, compareHeld)
	return held
}

func compareHeld(a, b Held) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Snapshot, b.Snapshot), cmp.Compare(a.Digest, b.Digest))
}

// snapshot is the ID of what is held, if that is a snapshot.
func (h Held) snapshot() SnapshotID {
	return SnapshotID{h.Namespace, parseSnapshotKey(h.Snapshot)}
}

func (h Held) by(k Keeper) Held {
	h.Keeper = k.in(h.Namespace)
	return h
}

// blobKeeper finds what keeps a blob, in its own namespace or in another.
func (c *collector) blobKeeper(n node, after reached) (Keeper, bool) {
	if root, ok := after.root(n); ok {
		return c.keeper(root), true
	}
	for _, s := range c.homes[digest.Digest(n.key)] {
		if s.Name == n.ns {
			continue
		}
		if root, ok := after.root(node{kind: kindContent, ns: s.Name, key: n.key}); ok {
			return c.keeper(root), true
		}
	}
	if upload, ok := c.awaiting(after, digest.Digest(n.key)); ok {
		return c.keeper(upload), true
	}
	return Keeper{}, false
}
