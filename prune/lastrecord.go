package prune

// keepAll keeps those records of a unit that were to go.
func (j *judge) keepAll(u *unit, why Cause) {
	for _, record := range u.records {
		if v := j.verdicts[record.Name]; v.Action != Keep && !v.doomed {
			v.Action, v.Cause = Keep, why
		}
	}
}

// keepWhole keeps all records of a unit of which one stays: CRI keeps several
// names for an image and loses track when one of them goes.
func (j *judge) keepWhole(u *unit) {
	for _, record := range u.records {
		if v := j.verdicts[record.Name]; v.Action == Keep {
			why := v.told()
			j.keepAll(u, because(codeTogether, parts{Image: record.Name, Because: &why}))
			return
		}
	}
}

// keepLast turns the last record of a unit in use into a stand-in, rather one
// that would go because of the policy than one that goes anyway.
func (j *judge) keepLast(u *unit) {
	holders := j.usage.holders(u.target)
	var last *verdict
	for _, r := range u.records {
		v := j.verdicts[r.Name]
		if v.Action != Remove {
			return
		}
		if last == nil || last.doomed || !v.doomed {
			last = v
		}
	}
	if last == nil || last.collected || len(holders) == 0 {
		return
	}
	j.standIn(last, holders)
}

// standIn makes a stand-in of a record that is to go, if the name is free.
func (j *judge) standIn(v *verdict, holders []user) {
	name := standInName(j.ns.Name, v.Target.Digest)
	if there := j.named[name]; len(there) > 0 {
		code := codeStandInTaken
		if there[0].Target.Digest == v.Target.Digest {
			code = codeStandInExpired
		}
		v.Action, v.Cause = Keep, usedBy(code, holders)
		v.ReasonParts.Image = name
		return
	}
	v.Action, v.StandIn, v.Cause = StandIn, name, usedBy(codeStandIn, holders)
	v.ReasonParts.Image = name
}
