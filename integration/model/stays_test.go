package model

import (
	"errors"
	"maps"
	"slices"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/integration/oracle"
	"github.com/ctr-prune/ctr-prune/prune"
)

// stays holds a plan to what it says: what stays is there after the run as it
// was, and all that is not there any more is told of.
func (r *run) stays(after *oracle.State) {
	m := r.m
	m.t.Helper()
	actions := map[recordKey]prune.Decision{}
	for _, d := range r.plan.Decisions {
		actions[recordKey{d.Namespace, d.Name}] = d
	}
	for ns, was := range r.before.Namespaces {
		for name, image := range was.Images {
			key := recordKey{ns, name}
			d, planned := actions[key]
			left, there := after.Namespaces[ns].Images[name]
			switch {
			case there && planned && d.Action == prune.Keep && !cmp.Equal(image, left):
				m.errorf("I14: %s in %s was to stay, and was changed:\n%s", name, ns, cmp.Diff(image, left))
			case there || r.goesAnyway(key, planned):
			case planned && d.Action == prune.Keep:
				m.errorf("I14: %s in %s is gone; it was to stay: %s", name, ns, d.Reason)
			case !planned:
				m.errorf("I14: %s in %s is gone, of which the plan says nothing", name, ns)
			case !r.tells(key):
				m.errorf("I14: %s in %s is gone, and the report does not tell: %s: %s", name, ns, d.Action, d.Reason)
			}
		}
	}
}

// declined says whether a run goes no further, because what is to stay would not
// outlast its collection: a client has taken away what it lived by.
func (r *run) declined() bool {
	_, declined := r.m.declined("runs", r.err)
	return declined
}

// stayError names a record that is to stay and would not outlast a collection.
type stayError interface {
	error
	Record() (namespace, name string)
}

// declined says whether something was not done for that reason, and which record it is
// that is to stay.
func (m *machine) declined(what string, err error) (stay stayError, declined bool) {
	if declined = errors.As(err, &stay); declined {
		m.tally.add(what+" declined for what is to stay", 1)
	}
	return stay, declined
}

// goesAnyway says whether a record is one that any collection takes: it is in no
// namespace of the plan, or became such a one since the plan was made.
func (r *run) goesAnyway(key recordKey, planned bool) bool {
	collectible := func(s *oracle.State) bool { return slices.Contains(s.Collectible()[key.ns], key.name) }
	return collectible(r.before) && !(planned && collectible(r.planned))
}

// tells says whether the report lists a record among those that are gone. One
// that somebody wrote while its time was over already is reported as skipped,
// because the run did not remove it.
func (r *run) tells(key recordKey) bool {
	gone := slices.Clone(r.report.Untagged)
	for _, recovered := range r.report.Recovered {
		gone = append(gone, recovered.Untagged...)
	}
	for _, left := range r.report.Skipped {
		if slices.Contains(r.before.Collectible()[left.Namespace], left.Name) {
			gone = append(gone, left.Record)
		}
	}
	return slices.ContainsFunc(gone, func(g prune.Record) bool { return g.Namespace == key.ns && g.Name == key.name })
}

// withoutCollectible is a state without the records that any collection takes.
func withoutCollectible(s *oracle.State) *oracle.State {
	left := copyOf(s)
	for ns, names := range s.Collectible() {
		for _, name := range names {
			delete(left.Namespaces[ns].Images, name)
		}
	}
	return left
}

// grace is a run that can be undone: the store as it was before, and the
// records that went, by the run or by the collection after it.
type grace struct {
	before *oracle.State
	went   map[recordKey]images.Image
}

// keepsGrace collects after a run with a grace, at which what was to stay does,
// and notes what has gone.
func (r *run) keepsGrace() {
	m := r.m
	m.t.Helper()
	m.must(m.in("default").Collect(m.ctx))
	now := m.capture()
	r.stays(now)
	g := grace{before: r.before, went: map[recordKey]images.Image{}}
	for ns, was := range withoutCollectible(r.before).Namespaces {
		for name, image := range was.Images {
			if _, there := now.Namespaces[ns].Images[name]; !there {
				g.went[recordKey{ns, name}] = image
			}
		}
	}
	m.graces[r.report.Grace.Run] = g
}

// givenUp is for a namespace in which the grace was dropped before its time.
func (g grace) givenUp(ns string) {
	maps.DeleteFunc(g.went, func(key recordKey, _ images.Image) bool { return key.ns == ns })
}

// ended gives up the namespaces of which an undo put everything back: their grace is
// over, and what goes from there afterwards another run removed.
func (g grace) ended(undone *prune.Undone) {
	left := map[string]bool{}
	for _, f := range undone.Failed {
		left[f.Namespace] = true
	}
	maps.DeleteFunc(g.went, func(key recordKey, _ images.Image) bool { return !left[key.ns] })
}

// allBack sees to it that all that went with a run is there again, but for names
// that were taken meanwhile, and for records whose end has come.
func (g grace) allBack(m *machine, undone *prune.Undone, after *oracle.State) {
	m.t.Helper()
	failed := map[recordKey]bool{}
	for _, f := range undone.Failed {
		failed[recordKey{f.Namespace, f.Name}] = true
	}
	over := g.over(after)
	for key, was := range g.went {
		ns := after.Namespaces[key.ns]
		if ns == nil || ns.Images[key.name].Target.Digest != was.Target.Digest && !failed[key] && !over[key] {
			m.errorf("I14: undo: %s in %s went with the run, and is not back", key.name, key.ns)
		}
	}
}

// over lists the records that any collection takes by now if they are put back, with
// all the others that went with them.
func (g grace) over(after *oracle.State) map[recordKey]bool {
	back, over := copyOf(after), map[recordKey]bool{}
	for key, was := range g.went {
		if ns := back.Namespaces[key.ns]; ns != nil && ns.Images[key.name].Name == "" {
			ns.Images[key.name] = was
		}
	}
	for ns, names := range back.Collectible() {
		for _, name := range names {
			over[recordKey{ns, name}] = true
		}
	}
	return over
}
