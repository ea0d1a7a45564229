package prune

import (
	"fmt"
	"slices"

	"github.com/containerd/containerd/v2/core/images"
)

// keepAll keeps those records of a unit that were to go.
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
	stays := slices.ContainsFunc(u.records, func(r images.Image) bool { return j.verdicts[r.Name].Action != Remove })
	if stays || len(holders) == 0 {
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
