package rules

import (
	"time"

	"github.com/containerd/containerd/v2/core/images"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/lastuse"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
)

// retain asks the policy file about all records together, those in use too,
// because they count among the last of their repository. What has expired does
// not: any collection takes it.
func (j *Judge) retain() {
	if j.policy.Retention == nil {
		return
	}
	units := make(map[int][]digest.Digest)
	ns := retention.Namespace{Name: j.ns.Name, Whole: j.whole, Use: j.use(units)}
	var records []*images.Image
	numbers := make(map[*siblings]int)
	for at, u := range j.order {
		number := at
		if s := j.siblings[u]; s != nil {
			if _, known := numbers[s]; !known {
				numbers[s] = at
			}
			number = numbers[s]
		}
		units[number] = append(units[number], u.Target)
		about := len(j.About(u)) > 0 && !j.ringed[u]
		for _, record := range u.Records {
			if j.ties.doomed(record) {
				continue
			}
			sub := j.subject(u, record)
			records = append(records, record)
			ns.Records = append(ns.Records, retention.Record{
				Name: record.Name, Unit: number, Born: sub.Born, About: about,
				Nameless: j.dangling(record), Dangling: sub.Dangling, Labels: sub.Labels, LabelsErr: sub.LabelsErr,
			})
		}
	}
	j.retained = make(map[*images.Image]retention.Verdict, len(records))
	for i, verdict := range j.policy.Retention.Judge(ns, j.now) {
		j.retained[records[i]] = verdict
	}
}

// use is what is known of when units were last used. Those that go together are
// used together.
func (j *Judge) use(units map[int][]digest.Digest) retention.Use {
	last := func(unit int) (at time.Time) {
		for _, target := range units[unit] {
			if used := j.policy.LastUse.Last(j.ns.Name, target, j.now).At; used.After(at) {
				at = used
			}
		}
		return at
	}
	return retention.Use{Since: j.policy.LastUse.Since(j.now), Last: last}
}

// lastUses returns what finds the last use of a target that is known, by what was
// kept and by what uses it now.
func (j *Judge) lastUses() func(digest.Digest) lastuse.Use {
	if j.policy.LastUse == nil {
		return func(digest.Digest) lastuse.Use { return lastuse.Use{} }
	}
	now := j.InUse()
	return func(target digest.Digest) lastuse.Use {
		if by, used := now[target]; used {
			return lastuse.Use{At: j.now, By: by}
		}
		return j.policy.LastUse.Last(j.ns.Name, target, j.now)
	}
}

// TryName says what the policy file would do with a name of an image that nothing
// uses and of which nothing else is known.
func (p Policy) TryName(namespace, name string) retention.Trial {
	return p.Retention.Try(namespace, name, Dangling(name, nil, p.DanglingPrefixes))
}
