package rules_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// family is how units belong together by the letter: every pair of them is
// looked at, and every way up is gone.
type family struct {
	*rules.Catalog
	parents map[*rules.Unit][]rules.Parent
}

func newFamily(c *rules.Catalog, units []*rules.Unit) family {
	f := family{c, make(map[*rules.Unit][]rules.Parent)}
	for _, u := range units {
		for _, dgst := range c.About(u) {
			for _, subject := range c.Containing(dgst) {
				if subject != u {
					f.parents[u] = append(f.parents[u], rules.Parent{Unit: subject, Subject: true})
				}
			}
		}
		for _, index := range f.indexes(u.Target) {
			if index != u {
				f.parents[u] = append(f.parents[u], rules.Parent{Unit: index, Subject: false})
			}
		}
	}
	return f
}

// indexes are the nearest units above a blob.
func (f family) indexes(blob digest.Digest) []*rules.Unit {
	var found []*rules.Unit
	seen := map[digest.Digest]bool{blob: true}
	for gray := []digest.Digest{blob}; len(gray) > 0; gray = gray[1:] {
		for _, above := range f.Catalog.Parents[gray[0]] {
			if seen[above] {
				continue
			}
			seen[above] = true
			if u := f.Units[above]; u != nil {
				found = append(found, u)
			} else {
				gray = append(gray, above)
			}
		}
	}
	return found
}

// onRing says whether a unit is about others and the way up leads back to it.
func (f family) onRing(u *rules.Unit) bool {
	seen := make(map[digest.Digest]bool)
	gray := f.About(u)
	if len(gray) > 0 {
		gray = append(gray, f.Catalog.Parents[u.Target]...)
	}
	for ; len(gray) > 0; gray = gray[1:] {
		if seen[gray[0]] {
			continue
		}
		seen[gray[0]] = true
		gray = append(gray, f.Catalog.Parents[gray[0]]...)
		if above := f.Units[gray[0]]; above != nil {
			gray = append(gray, f.About(above)...)
		}
	}
	return seen[u.Target]
}

// closure is what stays because of what stays by itself.
func (f family) closure(alone []*rules.Unit) map[*rules.Unit]bool {
	staying := make(map[*rules.Unit]bool)
	for _, u := range alone {
		staying[u] = true
	}
	for grew := true; grew; {
		grew = false
		for u, parents := range f.parents {
			if !staying[u] && slices.ContainsFunc(parents, func(p rules.Parent) bool { return staying[p.Unit] }) {
				staying[u], grew = true, true
			}
		}
	}
	return staying
}

// randomFamily is a namespace of up to ten blobs that refer to each other and
// are about each other in all ways that there are.
func randomFamily(t *rapid.T) *inventory.Namespace {
	texts := tw.RandomBlobs[:rapid.IntRange(1, len(tw.RandomBlobs)).Draw(t, "blobs")]
	one := func(what string) string { return tw.Pick(t, texts, what) }
	var things []tw.Thing
	for _, text := range texts {
		b := tw.Blob(text)
		for i := range tw.Uniform(t, 3, "references") {
			tw.RefContent(one("child"), fmt.Sprint(".m.", i))(&b)
		}
		if tw.Uniform(t, 6, "referrer") == 0 {
			tw.RefContent(one("referrer"), ".referrer.sha256.x")(&b)
		}
		if tw.Uniform(t, 4, "subject") == 0 {
			tw.About(one("subject"))(&b)
		}
		things = append(things, b)
		for i := range tw.Uniform(t, 3, "records") {
			r := tw.Record(fmt.Sprintf("%s:%d", text, i), text)
			switch tw.Uniform(t, 8, "name") {
			case 0:
				r.Name = fmt.Sprintf("%s%d:sha256-%s.sig", text, i, tw.Digest(one("tag")).Encoded())
			case 1:
				tw.Annotated(images.AnnotationManifestSubject, tw.Digest(one("annotation")).String())(&r)
			}
			things = append(things, r)
		}
	}
	return tw.World{"default": things}.Inventory().Namespaces[0]
}

// The graph answers what looking at every pair of units answers: what is about
// what, what is on a ring, and what stays with what, and why.
func TestLineageIsEveryPair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := rules.NewCatalog(randomFamily(t), gc.Release{Major: 2, Minor: 4})
		units := []*rules.Unit{}
		for _, u := range c.Units {
			units = append(units, u)
		}
		slices.SortFunc(units, func(a, b *rules.Unit) int { return len(a.Records[0].Name) - len(b.Records[0].Name) })
		l, f := c.Lineage(units), newFamily(c, units)
		subjects, ringed := l.Subjects(), l.Ringed()
		var alone []*rules.Unit
		j := &rules.Judge{View: rules.View{Catalog: c}, Verdicts: make(map[string]*rules.Verdict)}
		for _, u := range units {
			for _, record := range u.Records {
				j.Verdicts[record.Name] = j.Verdict(record, rules.Remove, cause.Cause{ReasonCode: cause.CodeUnused}, false)
			}
		}
		follow := rules.Following{Lineage: l, J: j, Staying: make(map[*rules.Unit]bool), Why: make(map[*rules.Unit]rules.Parent), Came: make([]rules.Two, len(l.Unit))}
		for _, u := range units {
			first := slices.IndexFunc(f.parents[u], func(p rules.Parent) bool { return p.Subject })
			if (first >= 0) != (subjects[u] != nil) || first >= 0 && f.parents[u][first].Unit != subjects[u] {
				t.Fatalf("%s is about %v, want the first about one of %v", u.Target, subjects[u], f.parents[u])
			}
			if ringed[u] != f.onRing(u) {
				t.Fatalf("%s is on a ring: %v", u.Target, ringed[u])
			}
			if tw.Uniform(t, 3, "stays alone") == 0 {
				alone = append(alone, u)
				follow.Stay(u)
			}
		}
		follow.Follow()
		staying := f.closure(alone)
		for _, u := range units {
			belongs := slices.ContainsFunc(f.parents[u], func(p rules.Parent) bool { return staying[p.Unit] })
			why, known := follow.Why[u]
			if follow.Staying[u] != staying[u] || known != belongs {
				t.Fatalf("%s stays: %v, want %v; belongs to what does: %v, want %v", u.Target, follow.Staying[u], staying[u], known, belongs)
			}
			if known && (!staying[why.Unit] || why.Unit == u) {
				t.Fatalf("%s stays because of %+v", u.Target, why)
			}
		}
	})
}

// A signature whose way up is longer than is followed counts as on a ring, and
// so stays where only choosing filters keep it; others go with their image.
func TestLongWaysUp(t *testing.T) {
	for _, length := range []int{10, 2 * rules.MaxWayUp} {
		inv := tw.LinkedInventory("signed", length)
		c := rules.NewCatalog(inv.Namespaces[0], gc.Release{Major: 2, Minor: 4})
		var units []*rules.Unit
		for _, image := range inv.Namespaces[0].Images {
			units = append(units, c.Units[image.Target.Digest])
		}
		if ringed := len(c.Lineage(units).Ringed()); ringed > 0 != (length > rules.MaxWayUp) {
			t.Errorf("%d of the signatures of a chain of %d are on a ring", ringed, length)
		}
	}
}
