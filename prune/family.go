package prune

import "fmt"

// stays returns a record of the unit that will not go, or whose place a
// stand-in takes; ok is false if the whole unit goes.
func (j *judge) stays(u *unit) (name string, ok bool) {
	for _, record := range u.records {
		v := j.verdicts[record.Name]
		if v != nil && v.Action != Remove {
			return record.Name, true
		}
	}
	return "", false
}

// followSubjects makes signatures, SBOMs and attestations live and die with
// what they are about. They die only if they could themselves: age and
// excluding filters hold for them, choosing filters are their subject's.
func (j *judge) followSubjects(u *unit) {
	subjects := j.subjects(u)
	open := false
	for _, subject := range subjects {
		j.settle(subject)
		if name, ok := j.stays(subject); ok {
			j.keepAll(u, fmt.Sprintf("belongs to %q, which stays", name))
			return
		}
		open = open || j.state[subject] == visiting
	}
	if len(subjects) == 0 || open {
		return
	}
	for _, record := range u.records {
		v := j.verdicts[record.Name]
		if v.firm || v.Action != Keep {
			continue
		}
		if j.policy.Filters.MatchProtective(j.subject(u, record), j.now).Match {
			v.Action, v.Reason = Remove, fmt.Sprintf("belongs to %q, which goes", subjects[0].records[0].Name)
		}
	}
}

// followIndexes keeps the records of an index's children while the index
// stays. When it goes they are judged by themselves, for they have names.
func (j *judge) followIndexes(u *unit) {
	for _, index := range j.indexes(u) {
		j.settle(index)
		if name, ok := j.stays(index); ok {
			j.keepAll(u, fmt.Sprintf("is part of %q, which stays", name))
			return
		}
	}
}

func (j *judge) keepAll(u *unit, reason string) {
	for _, record := range u.records {
		if v := j.verdicts[record.Name]; v.Action != Keep {
			v.Action, v.Reason = Keep, reason
		}
	}
}

// keepWhole keeps all records of a unit of which one stays: CRI keeps several
// names for an image and loses track when one of them goes.
func (j *judge) keepWhole(u *unit) {
	for _, record := range u.records {
		if v := j.verdicts[record.Name]; v.Action == Keep {
			j.keepAll(u, fmt.Sprintf("CRI keeps the names of an image together, and %q stays: %s", record.Name, v.Reason))
			return
		}
	}
}

// keepLast turns the last record of a unit in use into a stand-in.
func (j *judge) keepLast(u *unit) {
	holders := j.usage.units[u.target]
	if _, ok := j.stays(u); ok || len(holders) == 0 {
		return
	}
	last := u.records[len(u.records)-1]
	v := j.verdicts[last.Name]
	name := standInName(j.ns.Name, u.target)
	if len(j.named[name]) > 0 {
		v.Action = Keep
		v.Reason = fmt.Sprintf("its image is in use by %s, and %q, which would take its place, is another image", some(holders), name)
		return
	}
	v.Action, v.StandIn = StandIn, name
	v.Reason = fmt.Sprintf("the name goes and %q takes its place: its image is in use by %s", v.StandIn, some(holders))
}
