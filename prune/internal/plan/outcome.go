package plan

import (
	"cmp"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// Outcome is what a collection leaves after a set of decisions.
type Outcome struct {
	// Freed are the objects that go because of the decisions.
	Freed inventory.Objects
	// Garbage are those that nothing held before: any collection takes them.
	Garbage inventory.Objects
	// Held are those of removed images that stay, with who holds them.
	Held []Held
	// Orphans are the configs that lose their snapshot labels.
	Orphans []gc.Orphan
}

// Held is a blob or snapshot of a removed image that will not be freed, and
// why.
type Held struct {
	Namespace string        `json:"namespace"`
	Digest    digest.Digest `json:"digest,omitempty"`
	Snapshot  string        `json:"snapshot,omitempty"`
	Bytes     int64         `json:"bytes"`
	// Keeper is one root that keeps it.
	cause.Keeper
}

// Foresee computes the outcome of the decisions by containerd's own rules.
// It also returns what is reachable then. What ended, leases of killed runs and
// abandoned uploads, goes with them: until then it keeps what it holds from any
// collection.
func Foresee(c *gc.Collector, inv *inventory.Inventory, decisions []rules.Decision, ended map[graph.Node]bool) (Outcome, graph.Reached) {
	ch := gc.Change{Ignored: ended, Removed: make(map[graph.Node]bool), StandIns: make(map[graph.Node]digest.Digest)}
	var victims, own []graph.Node
	for _, d := range decisions {
		if !d.Gone() {
			continue
		}
		ch.Removed[graph.Node{Kind: graph.KindImage, Namespace: d.Namespace, Key: d.Name}] = true
		if d.Action == rules.StandIn {
			ch.StandIns[graph.Node{Kind: graph.KindImage, Namespace: d.Namespace, Key: d.StandIn}] = d.Target.Digest
		}
		target := graph.ContentNode(d.Namespace, d.Target.Digest)
		victims = append(victims, target)
		if !d.Collected { // where it is, the run touches nothing
			own = append(own, target)
		}
	}
	c.Meet(ch)
	before := c.Reach(gc.Change{})
	touched := c.Mark(victims, gc.Change{})
	mine := touched
	if len(own) < len(victims) {
		mine = c.Mark(own, gc.Change{})
	}
	o := Outcome{Orphans: c.Orphans(ch, mine)}
	ch.Unleased = make(map[graph.Node]bool, len(o.Orphans))
	for _, orphan := range o.Orphans {
		ch.Unleased[orphan.Node()] = true
	}
	after := c.Reach(ch)
	o.Freed, o.Garbage = c.Split(inv.AllBlobs(), inv.AllSnapshots(), before, after)
	o.Held = heldBack(c, touched, after)
	return o, after
}

// heldBack lists the objects of removed images that are kept, with their
// holders.
func heldBack(c *gc.Collector, touched, after graph.Reached) []Held {
	var held []Held
	for n := range touched.All() {
		s := c.Spaces[n.Namespace]
		if n.Flat || s == nil {
			continue
		}
		switch n.Kind {
		case graph.KindContent:
			blob, known := s.Blobs[digest.Digest(n.Key)]
			if k, ok := c.BlobKeeper(n, after); known && ok {
				held = append(held, Held{Namespace: n.Namespace, Digest: digest.Digest(n.Key), Bytes: blob.Size}.By(k))
			}
		case graph.KindSnapshot:
			id := inventory.SnapshotOf(n)
			if root, ok := after.Root(n); c.Exists(id) && ok {
				held = append(held, Held{Namespace: n.Namespace, Snapshot: n.Key, Bytes: c.Inv.Size(id)}.By(c.Keeper(root)))
			}
		}
	}
	slices.SortFunc(held, compareHeld)
	return held
}

func compareHeld(a, b Held) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Snapshot, b.Snapshot), cmp.Compare(a.Digest, b.Digest))
}

// SnapshotID is the ID of what is held, if that is a snapshot.
func (h Held) SnapshotID() inventory.SnapshotID {
	return inventory.SnapshotID{Namespace: h.Namespace, SnapshotKey: inventory.ParseSnapshotKey(h.Snapshot)}
}

// By returns what is held with its keeper.
func (h Held) By(k cause.Keeper) Held {
	h.Keeper = k.In(h.Namespace)
	return h
}
