package rules

import (
	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
)

// retain asks the policy file about all records together, those in use too,
// because they count among the last of their repository. What has expired does
// not: any collection takes it.
func (j *Judge) retain() {
	if j.policy.Retention == nil {
		return
	}
	ns := retention.Namespace{Name: j.ns.Name, Whole: j.whole}
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

// TryName says what the policy file would do with a name of an image that nothing
// uses and of which nothing else is known.
func (p Policy) TryName(namespace, name string) retention.Trial {
	return p.Retention.Try(namespace, name, Dangling(name, nil, p.DanglingPrefixes))
}
