package prune

import (
	"fmt"
	"slices"

	"github.com/containerd/containerd/v2/core/images"
)

// parent is a unit that another one belongs to.
type parent struct {
	*unit
	// subject says that the other is about this one, as a signature, an SBOM
	// or an attestation; if not, it is part of it, as an index's child.
	subject bool
}

func (j *judge) parentsOf(u *unit) []parent {
	var parents []parent
	for _, subject := range j.subjects(u) {
		parents = append(parents, parent{subject, true})
	}
	for _, index := range j.indexes(u) {
		parents = append(parents, parent{index, false})
	}
	return parents
}

// follow makes what belongs to an image live and die with it. What a staying
// image is, and what belongs to that in turn, stays: a closure, so that it is
// the same wherever one starts and whatever cycles there are. Signatures,
// SBOMs and attestations of images that all go, go too.
func (j *judge) follow() {
	staying := j.closure()
	for _, u := range j.order {
		at := slices.IndexFunc(j.parents[u], func(p parent) bool { return staying[p.unit] })
		switch {
		case at >= 0:
			j.keepAll(u, j.belongsTo(j.parents[u][at]))
		case !staying[u]:
			j.dieWithSubject(u)
		}
	}
}

// closure returns the units of which a record stays, or a stand-in for it.
func (j *judge) closure() map[*unit]bool {
	children := make(map[*unit][]*unit)
	for _, u := range j.order {
		for _, p := range j.parents[u] {
			children[p.unit] = append(children[p.unit], u)
		}
	}
	staying := make(map[*unit]bool)
	var gray []*unit
	add := func(u *unit) {
		if !staying[u] {
			staying[u] = true
			gray = append(gray, u)
		}
	}
	for _, u := range j.order {
		if j.staysAlone(u) {
			add(u)
		}
	}
	for len(gray) > 0 {
		u := gray[len(gray)-1]
		gray = gray[:len(gray)-1]
		for _, child := range children[u] {
			add(child)
		}
	}
	return staying
}

// staysAlone says whether a unit stays for its own sake.
func (j *judge) staysAlone(u *unit) bool {
	if len(j.usage.units[u.target]) > 0 {
		return true
	}
	dependent := j.dependent(u)
	return slices.ContainsFunc(u.records, func(record images.Image) bool {
		v := j.verdicts[record.Name]
		return v.Action == Keep && (v.firm || !dependent || j.kept(u, record))
	})
}

// dependent says whether the unit dies with what it is about. On a cycle
// nothing does: nobody knows what it starts from, so each is judged by itself.
func (j *judge) dependent(u *unit) bool {
	if !slices.ContainsFunc(j.parents[u], func(p parent) bool { return p.subject }) {
		return false
	}
	seen := make(map[*unit]bool)
	for gray := []*unit{u}; len(gray) > 0; gray = gray[1:] {
		for _, p := range j.parents[gray[0]] {
			if p.unit == u {
				return false
			}
			if !seen[p.unit] {
				seen[p.unit] = true
				gray = append(gray, p.unit)
			}
		}
	}
	return true
}

// kept says whether the user wants a record kept, whatever it is about: age
// and excluding filters hold for it, choosing filters are its subject's.
func (j *judge) kept(u *unit, record images.Image) bool {
	return !j.policy.Filters.MatchProtective(j.subject(u, record), j.now).Match
}

// dieWithSubject removes the records of a unit that only the choosing filters
// keep, if it is about another.
func (j *judge) dieWithSubject(u *unit) {
	at := slices.IndexFunc(j.parents[u], func(p parent) bool { return p.subject })
	if at < 0 {
		return
	}
	for _, record := range u.records {
		if v := j.verdicts[record.Name]; v.Action == Keep {
			v.Action, v.Reason = Remove, fmt.Sprintf("belongs to %q, which goes", j.parents[u][at].records[0].Name)
		}
	}
}

// belongsTo says to what a unit belongs that stays, by the name of a record
// that does.
func (j *judge) belongsTo(p parent) string {
	name := p.records[len(p.records)-1].Name
	for _, record := range p.records {
		if j.verdicts[record.Name].Action == Keep {
			name = record.Name
			break
		}
	}
	if p.subject {
		return fmt.Sprintf("belongs to %q, which stays", name)
	}
	return fmt.Sprintf("is part of %q, which stays", name)
}
