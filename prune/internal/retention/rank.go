package retention

import (
	"slices"
	"sort"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
)

// group is what is ranked together: what a rule matches of a repository.
type group struct {
	rule       int
	repository string
}

// ranking are the units of a group with their times.
type ranking struct {
	born map[int]time.Time
	// times are those of the units, newest first.
	times []time.Time
}

// groupOf returns the group of a record; its rule is -1 if the record is not
// ranked: no rule matches it, it has no repository, or it is about another image.
func (j *judging) groupOf(i int) group {
	if j.Records[i].About || j.names[i].nameless() {
		return group{rule: -1}
	}
	return group{j.rules[i], j.names[i].repository}
}

// rank sorts the units of each group in which a rule counts. A unit is as young
// as the newest of its names in the group. What has no known age is kept anyway,
// and takes nobody's place.
func (j *judging) rank() {
	for i, r := range j.Records {
		g := j.groupOf(i)
		if g.rule < 0 || j.Rules[g.rule].Keep.Last == 0 || r.Born.IsZero() {
			continue
		}
		known := j.ranks[g]
		if known == nil {
			known = &ranking{born: make(map[int]time.Time)}
			j.ranks[g] = known
		}
		born := r.Born
		if born.After(j.now) { // nobody knows which of these is the newest
			born = j.now
		}
		if born.After(known.born[r.Unit]) {
			known.born[r.Unit] = born
		}
	}
	for _, known := range j.ranks {
		for _, born := range known.born {
			known.times = append(known.times, born)
		}
		slices.SortFunc(known.times, func(a, b time.Time) int { return b.Compare(a) })
	}
}

// of returns the place of a unit, from 1: how many are newer, and itself.
func (r *ranking) of(unit int) int {
	born := r.born[unit]
	return 1 + sort.Search(len(r.times), func(i int) bool { return !r.times[i].After(born) })
}

// among says whether a record is one of the last of its group. All that are as
// old as the last one are.
func (j *judging) among(last, i int) bool {
	known := j.ranks[j.groupOf(i)]
	return known != nil && known.of(j.Records[i].Unit) <= last
}

// addRank adds the place of a record, if it has one.
func (j *judging) addRank(parts *cause.Parts, i int) {
	g := j.groupOf(i)
	if known := j.ranks[g]; known != nil && !j.Records[i].Born.IsZero() {
		parts.Rank, parts.Ranked, parts.Repository = known.of(j.Records[i].Unit), len(known.times), g.repository
	}
}
