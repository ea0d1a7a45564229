package model

import (
	"context"
	"fmt"
	"strings"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/opencontainers/go-digest"
)

// What a journal has entries of.
const (
	itLooks    = "looks"      // a reading of the whole store begins
	itImages   = "images"     // the records of a namespace were listed
	itLayers   = "snapshots"  // so were its snapshots
	itUsers    = "containers" // and its containers
	itHolds    = "holds"      // a plan is written: deletions come next
	itDeletes  = "deletes"    // the run has deleted a record
	itCreates  = "creates"    // the run has made one
	itUnlabels = "unlabels"   // and changed the labels of a config
	itReleases = "releases"   // a target is given up: a collection comes next
	itFrees    = "frees"      // the run lease of a namespace is given back
	theyWrite  = "they write" // a client has written a record, or removed it
	theyHold   = "they hold"  // a client has taken a lease on what was there
	theyAct    = "they act"
	collected  = "collected" // a collection has taken a record whose time is over
)

// journal is what happened in a run, in order. With one, the calls of a run
// are made one at a time, so that there is an order.
type journal struct {
	turn    chan struct{} // a lock that does not stop the clock of a bubble
	entries []entry
	// first is the call at which there was the first entry of a kind, or the
	// first listing of containers for its own sake.
	first map[string]int
	// others lets the clients do what is due, at each call.
	others func(call int)
}

// apart is the first listing of containers that belongs to no reading: the run
// has deleted what it could, and looks again.
const apart = "apart"

// again is the end of the first look for what has to be put back: containers
// come last.
const again = "again"

// entry is one thing that happened. Records have a name and what they said: for
// what the run deleted until then, for a removal by others nothing.
type entry struct {
	what, ns, name string
	image          images.Image
	was            images.Image // what others have overwritten or removed
}

func newJournal() *journal {
	return &journal{turn: make(chan struct{}, 1), first: map[string]int{}}
}

// inTurn waits for the other calls of the run, and returns what ends the turn.
func (w *watched) inTurn() func() {
	j := w.journal
	if j == nil {
		return func() {}
	}
	j.turn <- struct{}{}
	return func() { <-j.turn }
}

// note writes down what a call of the run did.
func (w *watched) note(ctx context.Context, what string, image images.Image) {
	if w.journal == nil {
		return
	}
	ns, _ := namespaces.Namespace(ctx)
	if looks := w.journal.looks(); what == itUsers && len(looks) > 0 {
		last := looks[len(looks)-1]
		if last.users[ns] > 0 {
			w.journal.reach(apart, w.calls)
		}
		if last.again {
			w.journal.reach(again, w.calls)
		}
	}
	w.journal.reach(what, w.calls)
	w.journal.entries = append(w.journal.entries, entry{what: what, ns: ns, name: image.Name, image: image})
}

func (j *journal) reach(landmark string, call int) {
	if _, known := j.first[landmark]; !known {
		j.first[landmark] = call
	}
}

// wrote notes what a client did to a record. Without an image it has removed it.
func (m *machine) wrote(ns, name string, was, is images.Image) {
	m.tell(ns, name, was, is)
	if m.journal != nil {
		m.journal.entries = append(m.journal.entries, entry{what: theyWrite, ns: ns, name: name, image: is, was: was})
	}
}

// held notes a lease that a client took.
func (m *machine) held(ns, id string) {
	if m.journal != nil {
		m.journal.entries = append(m.journal.entries, entry{what: theyHold, ns: ns, name: id})
	}
}

// now is a place in the journal: later than all that has happened. Without a
// run it is earlier than anything.
func (m *machine) now(what string) int {
	if m.journal == nil {
		return -1
	}
	m.journal.entries = append(m.journal.entries, entry{what: theyAct, name: what})
	return len(m.journal.entries) - 1
}

// look is a reading of the store by the run. The maps have, by namespace, the
// places of the lists in the journal.
type look struct {
	images, layers, users map[string]int
	// again says that it looks for what has to be put back, and appeared that it looks
	// only at what has appeared: of records it knows what it was told by then.
	again, appeared bool
}

// looks finds the readings of the run. The first is what the run goes by when
// it deletes. When it looks again it lists snapshots and containers; if it has to read,
// it lists containers, reads, and lists containers again; other readings it makes in
// between.
func (j *journal) looks() []look {
	var all []look
	listedApart, freed := false, false
	for at, e := range j.entries {
		if e.what == itFrees {
			freed = true
		}
		if e.what == itLooks {
			all = append(all, look{
				images: map[string]int{}, layers: map[string]int{}, users: map[string]int{}, again: listedApart && !freed,
			})
			listedApart = false
		}
		if len(all) == 0 {
			continue
		}
		if e.what == itLayers && !freed && all[len(all)-1].layers[e.ns] > 0 {
			all = append(all, look{images: map[string]int{}, layers: map[string]int{}, users: map[string]int{}, again: true, appeared: true})
		}
		last := all[len(all)-1]
		switch e.what {
		case itImages:
			last.images[e.ns] = at
		case itLayers:
			last.layers[e.ns] = at
			if last.appeared {
				last.images[e.ns] = at
			}
		case itUsers:
			listedApart = listedApart || last.users[e.ns] > 0
			if last.users[e.ns] == 0 {
				last.users[e.ns] = at
			}
		}
	}
	return all
}

// lastLook is the last one before a place for what has to be put back; ok is
// false if there was none, because nothing was deleted.
func (j *journal) lastLook(before int) (last look, ok bool) {
	cut := &journal{entries: j.entries[:before]}
	for _, l := range cut.looks() {
		if l.again {
			last, ok = l, true
		}
	}
	return last, ok
}

// givenUp is the place at which the run gave up what it held of a target.
func (j *journal) givenUp(ns string, target digest.Digest) (at int, ok bool) {
	for i, e := range j.entries {
		if e.ns == ns && (e.what == itReleases && e.image.Target.Digest == target || e.what == itFrees) {
			return i, true
		}
	}
	return 0, false
}

// last is the place of the last entry of a kind for a namespace and, unless it
// is empty, a name, before a place.
func (j *journal) last(what, ns, name string, before int) (at int, ok bool) {
	for i := min(before, len(j.entries)) - 1; i >= 0; i-- {
		e := j.entries[i]
		if e.what == what && e.ns == ns && (name == "" || e.name == name) {
			return i, true
		}
	}
	return 0, false
}

// end is a place after all that has happened.
func (j *journal) end() int { return len(j.entries) }

// String tells what happened, a line for each.
func (j *journal) String() string {
	var b strings.Builder
	for at, e := range j.entries {
		fmt.Fprintf(&b, "%4d %s %s %s", at, e.what, e.ns, e.name)
		if e.what == theyWrite || e.what == itDeletes || e.what == itCreates || e.what == collected {
			fmt.Fprintf(&b, ": %s", recordOf(e.image))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
