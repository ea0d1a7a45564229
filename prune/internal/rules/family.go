package rules

import (
	"slices"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
)

// Parent is a unit that another one belongs to.
type Parent struct {
	*Unit
	// Subject says that the other is about this one, as a signature, an SBOM
	// or an attestation; if not, it is part of it, as an index's child.
	Subject bool
}

// belong finds what belongs to what.
func (j *Judge) belong() {
	j.lineage = j.Lineage(j.order)
	j.subjects, j.ringed = j.lineage.Subjects(), j.lineage.Ringed()
}

// follow lets what belongs to an image be kept or removed with it. What belongs
// to a kept image is kept, and so is what belongs to that in turn: this is a
// closure, so the result does not depend on where one starts or on cycles.
// Signatures, SBOMs and attestations are removed if all their images are.
func (j *Judge) follow() {
	l := j.lineage
	f := &Following{
		Lineage: l, J: j, Staying: make(map[*Unit]bool), Why: make(map[*Unit]Parent), Came: make([]Two, len(l.Unit)),
	}
	j.following = f
	if j.ties != nil {
		j.ties.support(func(r *images.Image) bool { return j.Verdicts[r.Name].Action == Keep })
	}
	for _, u := range j.order {
		if j.staysAlone(u) {
			f.Stay(u)
		}
	}
	f.Follow()
	names := make(map[*Unit]string)
	for _, u := range j.order {
		p, belongs := f.Why[u]
		switch {
		case belongs:
			j.keepAll(u, j.belongsTo(p, names))
		case !f.Staying[u]:
			j.dieWithSubject(u)
		}
	}
}

// Following finds what stays because of what stays.
type Following struct {
	*Lineage
	J       *Judge
	Staying map[*Unit]bool
	// Why is for each unit that belongs to one that stays the first found, of
	// those that it is about if there is one.
	Why  map[*Unit]Parent
	gray []*Unit
	// tied are what stays and may still keep records alive: records, and the
	// targets of units in use, which have a record in the end.
	tied []tied
	// Came are the staying units that came to a blob. Two are enough: what is
	// about the blob, or below it, is another unit than one of them.
	Came []Two
	// stays, if not nil, is told of each unit that is found to stay, also of one
	// that stays already.
	stays func(*Unit)
}

// Stay notes that a unit stays, so that what belongs to it is looked for.
func (f *Following) Stay(u *Unit) {
	if f.stays != nil {
		f.stays(u)
	}
	if f.Staying[u] {
		return
	}
	f.Staying[u] = true
	f.gray = append(f.gray, u)
	if len(f.J.Usage.Units[u.Target]) > 0 {
		f.tied = append(f.tied, tied{graph.ContentNode(f.J.ns.Name, u.Target), u.Records[0].Name})
	}
	for _, record := range u.Records {
		if f.J.whole || f.J.Verdicts[record.Name].Action == Keep {
			f.stayRecord(record)
		}
	}
	if s := f.J.siblings[u]; s != nil && !s.staying {
		s.staying = true
		for _, sibling := range s.units {
			f.Stay(sibling)
		}
	}
}

func (f *Following) stayRecord(record *images.Image) {
	f.tied = append(f.tied, tied{graph.ImageNode(f.J.ns.Name, record.Name), record.Name})
}

// keepRecord keeps a record of the namespace because of another.
func (f *Following) keepRecord(name string, why cause.Cause) {
	v, there := f.J.Verdicts[name]
	if !there {
		return // a tie to a record that is gone
	}
	if v.Action != Keep && !v.doomed && f.stays == nil {
		v.Action, v.Cause = Keep, why
	}
	v.firm = true
	f.stayRecord(v.Image)
	f.Stay(f.J.Units[v.Target.Digest])
}

// Follow goes down from each staying unit to the next units below it, which
// go on from there.
func (f *Following) Follow() {
	for len(f.gray)+len(f.tied) > 0 {
		if len(f.tied) > 0 {
			next := f.tied[0]
			f.tied = f.tied[1:]
			f.keepTied(next)
			continue
		}
		u := f.gray[0]
		f.gray = f.gray[1:]
		at := f.ids[u.Target]
		f.keepSigners(at, u)
		for blobs := []int{at}; len(blobs) > 0; {
			next := blobs[len(blobs)-1]
			blobs = blobs[:len(blobs)-1]
			for _, below := range f.down[next] {
				if part := f.Unit[below]; part != nil {
					f.keep(part, Parent{u, false})
				} else if f.Came[below].add(u) {
					f.keepSigners(below, u)
					blobs = append(blobs, below)
				}
			}
		}
	}
}

func (f *Following) keepSigners(blob int, u *Unit) {
	for _, signer := range f.signers[blob] {
		f.keep(signer, Parent{u, true})
	}
}

// keep keeps a unit because of another.
func (f *Following) keep(u *Unit, p Parent) {
	if u == p.Unit {
		return
	}
	before, known := f.Why[u]
	if !known || p.Subject && !before.Subject {
		f.Why[u] = p
	}
	if !known { // all its names stay
		for _, record := range u.Records {
			f.stayRecord(record)
		}
	}
	f.Stay(u)
}

// staysAlone says whether a unit stays for its own sake.
func (j *Judge) staysAlone(u *Unit) bool {
	if len(j.Usage.Units[u.Target]) > 0 {
		return true
	}
	// What is about another dies with it, but not if that belongs to it in
	// turn: nobody knows what such a ring starts from, so each is judged by itself.
	dependent := j.subjects[u] != nil && !j.ringed[u]
	return slices.ContainsFunc(u.Records, func(record *images.Image) bool {
		v := j.Verdicts[record.Name]
		return v.Action == Keep && (v.firm || !dependent || j.kept(u, record))
	})
}

// kept says whether the user wants a record kept, whatever it is about: age
// and excluding filters hold for it, and what a policy file keeps; choosing filters
// are its subject's, and so is that no rule matches it.
func (j *Judge) kept(u *Unit, record *images.Image) bool {
	if said := j.retained[record]; said.Keep && said.Matched {
		return true
	}
	return !j.policy.filtersOf(j.ns.Name).MatchProtective(j.subject(u, record), j.now).Match
}

// dieWithSubject removes the records of a unit that only the choosing filters
// keep, if it is about another.
func (j *Judge) dieWithSubject(u *Unit) {
	subject := j.subjects[u]
	if subject == nil {
		return
	}
	for _, record := range u.Records {
		if v := j.Verdicts[record.Name]; v.Action == Keep {
			v.Action, v.Cause = Remove, cause.Because(cause.CodeSubjectGoes, cause.Parts{Image: subject.Records[0].Name})
		}
	}
}

// belongsTo says to what a unit belongs that stays, by the name of a record
// that does. Names has those that were found already.
func (j *Judge) belongsTo(p Parent, names map[*Unit]string) cause.Cause {
	name, known := names[p.Unit]
	if !known {
		at := slices.IndexFunc(p.Records, func(r *images.Image) bool { return j.Verdicts[r.Name].Action == Keep })
		if at < 0 {
			at = len(p.Records) - 1
		}
		name = p.Records[at].Name
		names[p.Unit] = name
	}
	if p.Subject {
		return cause.Because(cause.CodeBelongsTo, cause.Parts{Image: name})
	}
	return cause.Because(cause.CodePartOf, cause.Parts{Image: name})
}
