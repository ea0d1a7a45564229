package prune

import (
	"fmt"
	"slices"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"
)

// family is how units belong together by the letter: every pair of them is
// looked at, and every way up is gone.
type family struct {
	*catalog
	parents map[*unit][]parent
}

func newFamily(c *catalog, units []*unit) family {
	f := family{c, make(map[*unit][]parent)}
	for _, u := range units {
		for _, dgst := range c.about(u) {
			for _, subject := range c.containing(dgst) {
				if subject != u {
					f.parents[u] = append(f.parents[u], parent{subject, true})
				}
			}
		}
		for _, index := range f.indexes(u.target) {
			if index != u {
				f.parents[u] = append(f.parents[u], parent{index, false})
			}
		}
	}
	return f
}

// indexes are the nearest units above a blob.
func (f family) indexes(blob digest.Digest) []*unit {
	var found []*unit
	seen := map[digest.Digest]bool{blob: true}
	for gray := []digest.Digest{blob}; len(gray) > 0; gray = gray[1:] {
		for _, above := range f.catalog.parents[gray[0]] {
			if seen[above] {
				continue
			}
			seen[above] = true
			if u := f.units[above]; u != nil {
				found = append(found, u)
			} else {
				gray = append(gray, above)
			}
		}
	}
	return found
}

// onRing says whether a unit is about others and the way up leads back to it.
func (f family) onRing(u *unit) bool {
	seen := make(map[digest.Digest]bool)
	gray := f.about(u)
	if len(gray) > 0 {
		gray = append(gray, f.catalog.parents[u.target]...)
	}
	for ; len(gray) > 0; gray = gray[1:] {
		if seen[gray[0]] {
			continue
		}
		seen[gray[0]] = true
		gray = append(gray, f.catalog.parents[gray[0]]...)
		if above := f.units[gray[0]]; above != nil {
			gray = append(gray, f.about(above)...)
		}
	}
	return seen[u.target]
}

// closure is what stays because of what stays by itself.
func (f family) closure(alone []*unit) map[*unit]bool {
	staying := make(map[*unit]bool)
	for _, u := range alone {
		staying[u] = true
	}
	for grew := true; grew; {
		grew = false
		for u, parents := range f.parents {
			if !staying[u] && slices.ContainsFunc(parents, func(p parent) bool { return staying[p.unit] }) {
				staying[u], grew = true, true
			}
		}
	}
	return staying
}

// randomFamily is a namespace of up to ten blobs that refer to each other and
// are about each other in all ways that there are.
func randomFamily(t *rapid.T) *Namespace {
	texts := randomBlobs[:rapid.IntRange(1, len(randomBlobs)).Draw(t, "blobs")]
	one := func(what string) string { return pick(t, texts, what) }
	var things []thing
	for _, text := range texts {
		b := blob(text)
		for i := range uniform(t, 3, "references") {
			refContent(one("child"), fmt.Sprint(".m.", i))(&b)
		}
		if uniform(t, 6, "referrer") == 0 {
			refContent(one("referrer"), ".referrer.sha256.x")(&b)
		}
		if uniform(t, 4, "subject") == 0 {
			about(one("subject"))(&b)
		}
		things = append(things, b)
		for i := range uniform(t, 3, "records") {
			r := record(fmt.Sprintf("%s:%d", text, i), text)
			switch uniform(t, 8, "name") {
			case 0:
				r.Name = fmt.Sprintf("%s%d:sha256-%s.sig", text, i, dig(one("tag")).Encoded())
			case 1:
				annotated(images.AnnotationManifestSubject, dig(one("annotation")).String())(&r)
			}
			things = append(things, r)
		}
	}
	return world{"default": things}.inventory().Namespaces[0]
}

// The graph answers what looking at every pair of units answers: what is about
// what, what is on a ring, and what stays with what, and why.
func TestLineageIsEveryPair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newCatalog(randomFamily(t), release{2, 4})
		units := []*unit{}
		for _, u := range c.units {
			units = append(units, u)
		}
		slices.SortFunc(units, func(a, b *unit) int { return len(a.records[0].Name) - len(b.records[0].Name) })
		l, f := c.lineage(units), newFamily(c, units)
		subjects, ringed := l.subjects(), l.ringed()
		var alone []*unit
		j := &judge{view: view{catalog: c}, verdicts: make(map[string]*verdict)}
		for _, u := range units {
			for _, record := range u.records {
				j.verdicts[record.Name] = j.verdict(record, Remove, Cause{ReasonCode: codeUnused}, false)
			}
		}
		follow := following{lineage: l, j: j, staying: make(map[*unit]bool), why: make(map[*unit]parent), came: make([]two, len(l.unit))}
		for _, u := range units {
			first := slices.IndexFunc(f.parents[u], func(p parent) bool { return p.subject })
			if (first >= 0) != (subjects[u] != nil) || first >= 0 && f.parents[u][first].unit != subjects[u] {
				t.Fatalf("%s is about %v, want the first about one of %v", u.target, subjects[u], f.parents[u])
			}
			if ringed[u] != f.onRing(u) {
				t.Fatalf("%s is on a ring: %v", u.target, ringed[u])
			}
			if uniform(t, 3, "stays alone") == 0 {
				alone = append(alone, u)
				follow.stay(u)
			}
		}
		follow.follow()
		staying := f.closure(alone)
		for _, u := range units {
			belongs := slices.ContainsFunc(f.parents[u], func(p parent) bool { return staying[p.unit] })
			why, known := follow.why[u]
			if follow.staying[u] != staying[u] || known != belongs {
				t.Fatalf("%s stays: %v, want %v; belongs to what does: %v, want %v", u.target, follow.staying[u], staying[u], known, belongs)
			}
			if known && (!staying[why.unit] || why.unit == u) {
				t.Fatalf("%s stays because of %+v", u.target, why)
			}
		}
	})
}

// A signature whose way up is longer than is followed counts as on a ring, and
// so stays where only choosing filters keep it; others go with their image.
func TestLongWaysUp(t *testing.T) {
	for _, length := range []int{10, 2 * maxWayUp} {
		inv := linkedInventory("signed", length)
		c := newCatalog(inv.Namespaces[0], release{2, 4})
		var units []*unit
		for _, image := range inv.Namespaces[0].Images {
			units = append(units, c.units[image.Target.Digest])
		}
		if ringed := len(c.lineage(units).ringed()); ringed > 0 != (length > maxWayUp) {
			t.Errorf("%d of the signatures of a chain of %d are on a ring", ringed, length)
		}
	}
}
