package rules

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"
)

// tagSchema is how signatures, attestations and SBOMs are tagged by tools that
// do not use the OCI subject field, and the OCI fallback tag without suffix.
var tagSchema = regexp.MustCompile(`:(sha256)-([0-9a-f]{64})(?:\.(?:sig|att|sbom))?$`)

// referrerLabel starts the label by which containerd ties a referrer to its
// subject (core/images, ChildGCLabels).
const referrerLabel = "containerd.io/gc.ref.content.referrer."

// About returns the digests that a unit says something about: as a signature,
// an SBOM, an attestation.
func (c *Catalog) About(u *Unit) []digest.Digest {
	var digests []digest.Digest
	if subject, ok := c.ns.Subjects[u.Target]; ok {
		digests = append(digests, subject)
	}
	digests = append(digests, c.referrers[u.Target]...)
	for _, record := range u.Records {
		if subject := digest.Digest(record.Target.Annotations[images.AnnotationManifestSubject]); subject.Validate() == nil {
			digests = append(digests, subject)
		}
		if m := tagSchema.FindStringSubmatch(record.Name); m != nil {
			digests = append(digests, digest.Digest(m[1]+":"+m[2]))
		}
	}
	return digests
}

// Lineage is how the units of a namespace belong together: the graph of the
// blobs that are units, or that a unit is about, and of all blobs above them.
// A unit belongs to what it is about, which is the unit of that digest, or all
// units that reach it; and to the nearest units that have it as a part. There
// can be as many such pairs as the square of the units, so they are not listed:
// every question is answered by going through the graph once.
type Lineage struct {
	ids  map[digest.Digest]int
	Unit []*Unit // nil for what is no unit
	// up and down are the blobs that refer to a blob and those that it refers
	// to, about the blobs that a unit is about, and signers the units that are
	// about a blob.
	up, down, about [][]int
	signers         [][]*Unit
}

// Lineage tells what belongs to what among the units.
func (c *Catalog) Lineage(units []*Unit) *Lineage {
	l := &Lineage{ids: make(map[digest.Digest]int, len(units))}
	var blobs []digest.Digest
	id := func(dgst digest.Digest) int {
		i, ok := l.ids[dgst]
		if !ok {
			i = len(blobs)
			l.ids[dgst] = i
			blobs, l.Unit = append(blobs, dgst), append(l.Unit, c.Units[dgst])
		}
		return i
	}
	type pair struct{ unit, of int }
	var abouts []pair
	for _, u := range units {
		from := id(u.Target)
		for _, dgst := range c.About(u) {
			abouts = append(abouts, pair{from, id(dgst)})
		}
	}
	for i := 0; i < len(blobs); i++ {
		var up []int
		if parents := c.Parents[blobs[i]]; len(parents) > 0 {
			slices.Sort(parents) // they come in the order of a map
			parents = slices.Compact(parents)
			c.Parents[blobs[i]] = parents
			for _, parent := range parents {
				up = append(up, id(parent))
			}
		}
		l.up = append(l.up, up)
	}
	l.down, l.about, l.signers = make([][]int, len(blobs)), make([][]int, len(blobs)), make([][]*Unit, len(blobs))
	for i, up := range l.up {
		for _, parent := range up {
			l.down[parent] = append(l.down[parent], i)
		}
	}
	for _, a := range abouts {
		l.about[a.unit] = append(l.about[a.unit], a.of)
		l.signers[a.of] = append(l.signers[a.of], l.Unit[a.unit])
	}
	return l
}

// Two are the first units that came to a blob: one of them is another than any
// that asks.
type Two [2]*Unit

// add says whether the unit is one of them that was not there yet.
func (t *Two) add(u *Unit) bool {
	switch {
	case t[0] == u || t[1] != nil:
		return false
	case t[0] == nil:
		t[0] = u
	default:
		t[1] = u
	}
	return true
}

func (t Two) other(u *Unit) *Unit {
	if t[0] != u {
		return t[0]
	}
	return t[1]
}

// firstAbove finds for each blob the two units above it that come first in the
// order of their targets.
func (l *Lineage) firstAbove() []Two {
	units := slices.DeleteFunc(slices.Clone(l.Unit), func(u *Unit) bool { return u == nil })
	slices.SortFunc(units, func(a, b *Unit) int { return cmp.Compare(a.Target, b.Target) })
	first := make([]Two, len(l.Unit))
	for _, u := range units {
		for gray := []int{l.ids[u.Target]}; len(gray) > 0; {
			next := gray[len(gray)-1]
			gray = gray[:len(gray)-1]
			for _, below := range l.down[next] {
				if first[below].add(u) {
					gray = append(gray, below)
				}
			}
		}
	}
	return first
}

// Subjects finds for each unit that is about others the first of these: a
// blob's own unit, or else the first above it.
func (l *Lineage) Subjects() map[*Unit]*Unit {
	subjects := make(map[*Unit]*Unit)
	var above []Two
	for i, abouts := range l.about {
		u := l.Unit[i]
		for _, of := range abouts {
			found := l.Unit[of]
			if found == nil {
				if above == nil {
					above = l.firstAbove()
				}
				found = above[of].other(u)
			}
			if found != nil && found != u {
				subjects[u] = found
				break
			}
		}
	}
	return subjects
}

// MaxWayUp bounds how many references are followed up from one unit: hostile
// stores have long ways, and there can be as many units on each.
const MaxWayUp = 1 << 10

// Ringed finds the units about others from which the way up leads back to
// them. One whose way is too long to say counts as such.
func (l *Lineage) Ringed() map[*Unit]bool {
	ringed := make(map[*Unit]bool)
	seen := make([]int, len(l.Unit)) // from which unit a blob was last seen, counted from 1
	for i, abouts := range l.about {
		if len(abouts) > 0 && l.returns(i, seen) {
			ringed[l.Unit[i]] = true
		}
	}
	return ringed
}

func (l *Lineage) returns(start int, seen []int) bool {
	followed := 0
	for gray := []int{start}; len(gray) > 0; {
		at := gray[len(gray)-1]
		gray = gray[:len(gray)-1]
		for _, above := range [][]int{l.about[at], l.up[at]} {
			for _, to := range above {
				if followed++; to == start || followed > MaxWayUp {
					return true
				}
				if seen[to] != start+1 {
					seen[to] = start + 1
					gray = append(gray, to)
				}
			}
		}
	}
	return false
}
