package prune

import (
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

// follow makes what belongs to an image live and die with it. What a staying
// image is, and what belongs to that in turn, stays: a closure, so that it is
// the same wherever one starts and whatever cycles there are. Signatures,
// SBOMs and attestations of images that all go, go too.
func (j *judge) follow() {
	l := j.lineage(j.order)
	j.subjects, j.ringed = l.subjects(), l.ringed()
	f := following{
		lineage: l, j: j, staying: make(map[*unit]bool), why: make(map[*unit]parent), came: make([]two, len(l.unit)),
	}
	if j.ties != nil {
		j.ties.support(func(r *images.Image) bool { return j.verdicts[r.Name].Action == Keep })
	}
	for _, u := range j.order {
		if j.staysAlone(u) {
			f.stay(u)
		}
	}
	f.follow()
	names := make(map[*unit]string)
	for _, u := range j.order {
		p, belongs := f.why[u]
		switch {
		case belongs:
			j.keepAll(u, j.belongsTo(p, names))
		case !f.staying[u]:
			j.dieWithSubject(u)
		}
	}
}

// following finds what stays because of what stays.
type following struct {
	*lineage
	j       *judge
	staying map[*unit]bool
	// why is for each unit that belongs to one that stays the first found, of
	// those that it is about if there is one.
	why  map[*unit]parent
	gray []*unit
	// tied are what stays and may still keep records alive: records, and the
	// targets of units in use, which have a record in the end.
	tied []tied
	// came are the staying units that came to a blob. Two are enough: what is
	// about the blob, or below it, is another unit than one of them.
	came []two
}

func (f *following) stay(u *unit) {
	if f.staying[u] {
		return
	}
	f.staying[u] = true
	f.gray = append(f.gray, u)
	if len(f.j.usage.units[u.target]) > 0 {
		f.tied = append(f.tied, tied{contentNode(f.j.ns.Name, u.target), u.records[0].Name})
	}
	for _, record := range u.records {
		if f.j.whole || f.j.verdicts[record.Name].Action == Keep {
			f.stayRecord(record)
		}
	}
}

func (f *following) stayRecord(record *images.Image) {
	f.tied = append(f.tied, tied{imageNode(f.j.ns.Name, record.Name), record.Name})
}

// keepRecord keeps a record of the namespace because of another.
func (f *following) keepRecord(name string, why Cause) {
	v, there := f.j.verdicts[name]
	if !there {
		return // a tie to a record that is gone
	}
	if v.Action != Keep && !v.doomed {
		v.Action, v.Cause = Keep, why
	}
	v.firm = true
	f.stayRecord(v.image)
	f.stay(f.j.units[v.Target.Digest])
}

// follow goes down from each staying unit to the next units below it, which
// go on from there.
func (f *following) follow() {
	for len(f.gray)+len(f.tied) > 0 {
		if len(f.tied) > 0 {
			next := f.tied[0]
			f.tied = f.tied[1:]
			f.keepTied(next)
			continue
		}
		u := f.gray[0]
		f.gray = f.gray[1:]
		at := f.ids[u.target]
		f.keepSigners(at, u)
		for blobs := []int{at}; len(blobs) > 0; {
			next := blobs[len(blobs)-1]
			blobs = blobs[:len(blobs)-1]
			for _, below := range f.down[next] {
				if part := f.unit[below]; part != nil {
					f.keep(part, parent{u, false})
				} else if f.came[below].add(u) {
					f.keepSigners(below, u)
					blobs = append(blobs, below)
				}
			}
		}
	}
}

func (f *following) keepSigners(blob int, u *unit) {
	for _, signer := range f.signers[blob] {
		f.keep(signer, parent{u, true})
	}
}

// keep keeps a unit because of another.
func (f *following) keep(u *unit, p parent) {
	if u == p.unit {
		return
	}
	before, known := f.why[u]
	if !known || p.subject && !before.subject {
		f.why[u] = p
	}
	if !known { // all its names stay
		for _, record := range u.records {
			f.stayRecord(record)
		}
	}
	f.stay(u)
}

// staysAlone says whether a unit stays for its own sake.
func (j *judge) staysAlone(u *unit) bool {
	if len(j.usage.units[u.target]) > 0 {
		return true
	}
	// What is about another dies with it, but not if that belongs to it in
	// turn: nobody knows what such a ring starts from, so each is judged by itself.
	dependent := j.subjects[u] != nil && !j.ringed[u]
	return slices.ContainsFunc(u.records, func(record *images.Image) bool {
		v := j.verdicts[record.Name]
		return v.Action == Keep && (v.firm || !dependent || j.kept(u, record))
	})
}

// kept says whether the user wants a record kept, whatever it is about: age
// and excluding filters hold for it, choosing filters are its subject's.
func (j *judge) kept(u *unit, record *images.Image) bool {
	return !j.policy.Filters.MatchProtective(j.subject(u, record), j.now).Match
}

// dieWithSubject removes the records of a unit that only the choosing filters
// keep, if it is about another.
func (j *judge) dieWithSubject(u *unit) {
	subject := j.subjects[u]
	if subject == nil {
		return
	}
	for _, record := range u.records {
		if v := j.verdicts[record.Name]; v.Action == Keep {
			v.Action, v.Cause = Remove, because(codeSubjectGoes, parts{Image: subject.records[0].Name})
		}
	}
}

// belongsTo says to what a unit belongs that stays, by the name of a record
// that does. Names has those that were found already.
func (j *judge) belongsTo(p parent, names map[*unit]string) Cause {
	name, known := names[p.unit]
	if !known {
		at := slices.IndexFunc(p.records, func(r *images.Image) bool { return j.verdicts[r.Name].Action == Keep })
		if at < 0 {
			at = len(p.records) - 1
		}
		name = p.records[at].Name
		names[p.unit] = name
	}
	if p.subject {
		return because(codeBelongsTo, parts{Image: name})
	}
	return because(codePartOf, parts{Image: name})
}
