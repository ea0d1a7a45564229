package rules

import (
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
)

// keepAll keeps those records of a unit that were to be removed.
func (j *Judge) keepAll(u *Unit, why cause.Cause) {
	for _, record := range u.Records {
		if v := j.Verdicts[record.Name]; v.Action != Keep && !v.doomed {
			v.Action, v.Cause = Keep, why
		}
	}
}

// keepWhole keeps all records of siblings of which one stays: CRI keeps several
// names for an image and loses track when one of them goes.
func (j *Judge) keepWhole(s *siblings) {
	if s.kept {
		return
	}
	s.kept = true
	why, stays := j.whyWhole(s)
	if !stays {
		return
	}
	for _, u := range s.units {
		j.keepAll(u, why)
	}
}

// whyWhole names the first record that stays.
func (j *Judge) whyWhole(s *siblings) (why cause.Cause, stays bool) {
	for _, u := range s.units {
		for _, record := range u.Records {
			if v := j.Verdicts[record.Name]; v.Action == Keep {
				own := v.Told()
				return cause.Because(cause.CodeTogether, cause.Parts{Image: record.Name, Because: &own}), true
			}
		}
	}
	return why, false
}

// keepLast turns the last record of a unit in use into a stand-in, rather one
// that would go because of the policy than one that goes anyway.
func (j *Judge) keepLast(u *Unit) {
	holders := j.Usage.holders(u.Target)
	var last *Verdict
	for _, r := range u.Records {
		v := j.Verdicts[r.Name]
		if v.Action != Remove {
			return
		}
		if last == nil || last.doomed || !v.doomed {
			last = v
		}
	}
	if last == nil || last.Collected || len(holders) == 0 {
		return
	}
	j.standIn(last, holders)
}

// standIn makes a stand-in of a record that is to be removed, if the name is
// free.
func (j *Judge) standIn(v *Verdict, holders []cause.User) {
	name := StandInName(j.ns.Name, v.Target.Digest)
	if there := j.named[name]; len(there) > 0 {
		code := cause.CodeStandInTaken
		if there[0].Target.Digest == v.Target.Digest {
			code = cause.CodeStandInExpired
		}
		v.Action, v.Cause = Keep, cause.UsedBy(code, holders)
		v.ReasonParts.Image = name
		return
	}
	v.Action, v.StandIn, v.Cause = StandIn, name, cause.UsedBy(cause.CodeStandIn, holders)
	v.ReasonParts.Image = name
}
