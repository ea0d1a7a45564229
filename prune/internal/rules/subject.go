package rules

import (
	"cmp"
	"slices"
	"time"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// subject is what filters see: the record, or where units go whole all records
// of the unit and its siblings.
func (j *Judge) subject(u *Unit, record *images.Image) filters.Subject {
	sub := filters.Subject{}
	if s := j.siblings[u]; s == nil {
		j.see(&sub, []*images.Image{record})
	} else {
		if s.seen == nil {
			s.seen = &filters.Subject{}
			j.see(s.seen, s.records(j))
		}
		sub = *s.seen
	}
	config := j.ns.Configs[u.Target]
	sub.Labels, sub.LabelsErr = config.Labels, config.Problem
	return sub
}

// records lists those of all siblings, and those that went from them, by name.
func (s *siblings) records(j *Judge) (records []*images.Image) {
	for _, u := range s.units {
		there := slices.DeleteFunc(slices.Clone(u.Records), j.ties.doomed)
		records = slices.Concat(records, there, j.ns.Went[u.Target])
	}
	if len(s.units) > 1 {
		slices.SortStableFunc(records, func(a, b *images.Image) int { return cmp.Compare(a.Name, b.Name) })
	}
	return records
}

// see fills in what records say by themselves.
func (j *Judge) see(sub *filters.Subject, records []*images.Image) {
	named, nameless := false, false
	for i, record := range records {
		sub.Names = append(sub.Names, record.Name)
		dangles := j.dangling(record)
		nameless = nameless || dangles
		named = named || !dangles && !inventory.CRIRecordOfID(record)
		born := born(j.ns, record)
		if i == 0 || born.IsZero() || !sub.Born.IsZero() && born.After(sub.Born) {
			sub.Born = born
		}
	}
	sub.Dangling = nameless && !named
}

// born is the newest of the record's own times and of the time at which its
// target was committed to the store: a re-pull keeps the first, and a build
// can forge both of the record's. Zero if one cannot be read.
func born(ns *inventory.Namespace, record *images.Image) time.Time {
	blob, ok := ns.Blobs[record.Target.Digest]
	times := []time.Time{record.CreatedAt, record.UpdatedAt, blob.CreatedAt}
	if !ok || slices.ContainsFunc(times, time.Time.IsZero) {
		return time.Time{}
	}
	return slices.MaxFunc(times, time.Time.Compare)
}
