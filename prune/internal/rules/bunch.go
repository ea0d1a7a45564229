package rules

import (
	"cmp"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Bunch is what a plan that removes only a part of what it may removes all or not
// at all: the names of an image that may go, in k8s.io those of its siblings as
// well.
type Bunch struct {
	Namespace string
	// Going are the decisions, in the order of their names.
	Going []Decision
	// Images is how many images are gone with it.
	Images int
	// Dangling says that nobody would type any name of the image.
	Dangling bool
	// Born is the time from which its age counts, zero if that is unknown.
	Born time.Time
	// Subject is what it is about, as a signature; nil if it goes for itself.
	Subject *Bunch

	// Level is its place in an order, from 1. Whoever asks for ranks sets it. What is
	// about another has the same level as that.
	Level int
	// Rank is when it can go: at its level or, if others that come later keep it as
	// long as they stay, with the last of these.
	Rank int

	units []*Unit
}

// Bunches are those of a namespace, whose records can go.
type Bunches struct {
	All []*Bunch
	j   *Judge
	of  map[*Unit]*Bunch
}

// DecideInBunches decides as [Decide] does, and says what goes together.
func DecideInBunches(v View, policy Policy, st store.StoreInfo, now time.Time) ([]Decision, *Bunches) {
	j := newJudge(v, policy, st, now)
	decisions := j.decide()
	b := &Bunches{j: j, of: make(map[*Unit]*Bunch)}
	for i := range decisions {
		if d := &decisions[i]; d.Gone() && !j.Verdicts[d.Name].doomed {
			bunch := b.bunchOf(j.Units[d.Target.Digest])
			bunch.Going = append(bunch.Going, *d)
		}
	}
	for _, bunch := range b.All {
		b.describe(bunch)
	}
	for _, bunch := range b.All {
		bunch.Subject = b.subjectOf(bunch)
	}
	return decisions, b
}

// bunchOf returns the bunch of a unit, a new one if it has none.
func (b *Bunches) bunchOf(u *Unit) *Bunch {
	if bunch := b.of[u]; bunch != nil {
		return bunch
	}
	bunch := &Bunch{Namespace: b.j.ns.Name, units: []*Unit{u}}
	if s := b.j.siblings[u]; s != nil {
		bunch.units = s.units
	}
	for _, u := range bunch.units {
		b.of[u] = bunch
	}
	b.All = append(b.All, bunch)
	return bunch
}

// Of returns the bunch of an image, nil if none of its names may go.
func (b *Bunches) Of(target digest.Digest) *Bunch { return b.of[b.j.Units[target]] }

// Tied says that records live only as long as others do, so that what goes together
// is not known before it is decided anew.
func (b *Bunches) Tied() bool { return b.j.ties != nil }

// Above lists the other bunches that keep one as long as they stay.
func (b *Bunches) Above(bunch *Bunch) (all []*Bunch) {
	b.above(bunch, make(map[int]bool), func(above *Bunch) {
		if above != bunch {
			all = append(all, above)
		}
	})
	return all
}

func (b *Bunches) describe(bunch *Bunch) {
	bunch.Dangling = true
	known := true
	for _, u := range bunch.units {
		for _, record := range u.Records {
			sub := b.j.subject(u, record)
			bunch.Dangling = bunch.Dangling && sub.Dangling
			known = known && !sub.Born.IsZero()
			if sub.Born.After(bunch.Born) {
				bunch.Born = sub.Born
			}
		}
		if b.goes(u) {
			bunch.Images++
		}
	}
	if !known {
		bunch.Born = time.Time{}
	}
}

// goes says whether no record of a unit is left.
func (b *Bunches) goes(u *Unit) bool {
	return !slices.ContainsFunc(u.Records, func(r *images.Image) bool { return b.j.Verdicts[r.Name].Action != Remove })
}

// subjectOf finds what a bunch is about in the end: a signature goes when its image
// does.
func (b *Bunches) subjectOf(bunch *Bunch) *Bunch {
	top := bunch
	for range MaxWayUp {
		next := b.about(top)
		if next == nil || next == bunch {
			break
		}
		top = next
	}
	if top == bunch {
		return nil
	}
	return top
}

func (b *Bunches) about(bunch *Bunch) *Bunch {
	for _, u := range bunch.units {
		if subject := b.j.subjects[u]; subject != nil && !b.j.ringed[u] && b.of[subject] != bunch {
			return b.of[subject]
		}
	}
	return nil
}

// Rank gives each bunch its rank. What stays as long as another stays, by the same
// rules that decide, gets at least the rank of that: the bunches stay one after the
// other, the last of the order first, and what each keeps is found once.
func (b *Bunches) Rank() {
	f := b.j.following
	level := 0
	rank := func(bunch *Bunch) {
		bunch.Rank = level
		for _, d := range bunch.Going {
			f.stayRecord(d.Image)
		}
		for _, u := range bunch.units {
			f.Stay(u)
		}
	}
	f.stays = func(u *Unit) {
		if bunch := b.of[u]; bunch != nil && bunch.Rank == 0 {
			rank(bunch)
		}
	}
	sorted := slices.SortedStableFunc(slices.Values(b.All), func(x, y *Bunch) int { return -cmp.Compare(x.Level, y.Level) })
	for _, bunch := range sorted {
		if level = bunch.Level; bunch.Rank == 0 {
			rank(bunch)
			f.Follow()
		}
	}
}

// Needed marks besides the given bunches those that have to go so that these can:
// what they are about and what they are part of; and then what is about nothing else
// than what goes. Where records live only as long as others do, all have to.
func (b *Bunches) Needed(needed map[*Bunch]bool) {
	if b.j.ties != nil {
		for _, bunch := range b.All {
			needed[bunch] = true
		}
		return
	}
	seen := make(map[int]bool)
	for _, bunch := range b.All {
		if needed[bunch] {
			b.above(bunch, seen, func(above *Bunch) { needed[above] = true })
		}
	}
	for _, bunch := range b.All {
		if bunch.Subject == nil || needed[bunch] {
			continue
		}
		alone := true
		b.above(bunch, make(map[int]bool), func(above *Bunch) { alone = alone && (above == bunch || needed[above]) })
		needed[bunch] = alone
	}
}

// above visits the bunches that keep one as long as they stay, and those that keep
// these, itself among them. What was seen before is not visited again.
func (b *Bunches) above(bunch *Bunch, seen map[int]bool, visit func(*Bunch)) {
	l := b.j.lineage
	var gray []int
	come := func(at int) {
		if !seen[at] {
			seen[at] = true
			gray = append(gray, at)
		}
	}
	entered := make(map[*Bunch]bool)
	enter := func(bunch *Bunch) {
		if entered[bunch] {
			return
		}
		entered[bunch] = true
		visit(bunch)
		for _, u := range bunch.units {
			come(l.ids[u.Target])
		}
	}
	for enter(bunch); len(gray) > 0; {
		at := gray[len(gray)-1]
		gray = gray[:len(gray)-1]
		if u := l.Unit[at]; u != nil {
			if bunch := b.of[u]; bunch != nil {
				enter(bunch)
			}
			for _, of := range l.about[at] {
				come(of)
			}
		}
		for _, up := range l.up[at] {
			come(up)
		}
	}
}
