package retention

import (
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
)

// Record is what a policy sees of an image record.
type Record struct {
	Name string
	// Unit numbers the image that the record is a name of: names of one target
	// have the same, and where images go with all their names or not at all, all
	// of these.
	Unit int
	// Born is the time from which its age counts, zero if that is unknown.
	Born time.Time
	// Nameless says that nobody would type the name, Dangling that this is so of
	// all names of the image.
	Nameless, Dangling bool
	// About says that the image is about another, as a signature. It takes no
	// place among the images of its repository.
	About bool
	// Labels and LabelsErr are as in [filters.Subject].
	Labels    []map[string]string
	LabelsErr string
}

// Namespace is what is judged together.
type Namespace struct {
	Name    string
	Records []Record
	// Whole says that a unit goes with all its names or not at all, which is for
	// the caller to see to. Names that clients keep beside those that people type
	// then go as far as the policy is concerned.
	Whole bool
	Use   Use
}

// Use is what is known of when images were last used. The zero value is that
// nobody watches.
type Use struct {
	// Since is from when on use has been watched.
	Since time.Time
	// Last is when a unit was last used as far as is known, be it before Since;
	// zero if no use is known. Nil says that of all.
	Last func(unit int) time.Time
}

// Verdict is what a policy says of a record, and why.
type Verdict struct {
	Keep bool
	// Matched says that a rule or a protection decided: the record does not stay
	// only because nothing matches it.
	Matched bool
	cause.Cause
}

// judging is one judgement of a namespace.
type judging struct {
	*Policy
	Namespace
	now   time.Time
	names []name
	rules []int // by record, -1 for none
	ranks map[group]*ranking
}

// Judge says of each record of a namespace whether it stays. What stays for
// other reasons has to be among the records, because it counts among the last of
// its repository.
func (p *Policy) Judge(ns Namespace, now time.Time) []Verdict {
	j := &judging{Policy: p, Namespace: ns, now: now, ranks: make(map[group]*ranking)}
	j.names, j.rules = make([]name, len(ns.Records)), make([]int, len(ns.Records))
	for i := range ns.Records {
		j.names[i] = readName(ns.Records[i].Name, ns.Records[i].Nameless)
		j.rules[i] = j.ruleOf(i)
	}
	j.rank()
	verdicts := make([]Verdict, len(ns.Records))
	for i := range ns.Records {
		verdicts[i] = j.verdict(i)
	}
	if ns.Whole {
		j.followTyped(verdicts)
	}
	return verdicts
}

// ruleOf finds the first rule that matches a record, -1 if none does.
func (j *judging) ruleOf(i int) int {
	found, ok := j.Policy.rules.first(j.names[i], func(number int) bool {
		m := &j.Rules[number].Match
		return (m.Dangling == nil || *m.Dangling == j.Records[i].Dangling) &&
			(len(m.Tags) == 0 || j.names[i].tag != "" && anyMatches(m.Tags, j.names[i].tag)) &&
			anyMatches(m.Namespaces, j.Name)
	})
	if !ok {
		return -1
	}
	return found.number
}

// verdict judges a record by itself.
func (j *judging) verdict(i int) Verdict {
	if why := j.protects(i); why.Given() {
		return Verdict{Keep: true, Matched: true, Cause: why}
	}
	if j.rules[i] < 0 {
		return Verdict{Keep: true, Cause: cause.Plainly(cause.CodeNoRule)}
	}
	rule := &j.Rules[j.rules[i]]
	if why := j.keeps(rule, i); why.Given() {
		return Verdict{Keep: true, Matched: true, Cause: why}
	}
	parts := cause.Parts{Rule: rule.Name}
	j.addRank(&parts, i)
	return Verdict{Matched: true, Cause: cause.Because(cause.CodeRuleGoes, parts)}
}

// protects says what protects a record whatever the rules say.
func (j *judging) protects(i int) cause.Cause {
	r := &j.Records[i]
	if found, ok := j.protected.first(j.names[i], func(int) bool { return true }); ok {
		return cause.Because(cause.CodeProtectedName, cause.Parts{Filter: found.pattern.String()})
	}
	sub := filters.Subject{Born: r.Born, Labels: r.Labels, LabelsErr: r.LabelsErr}
	if v := j.labels.Match(sub, j.now); v.Label != "" {
		return cause.Because(cause.CodeProtectedLabel, cause.Parts{Label: v.Label})
	} else if !v.Match {
		return cause.Because(cause.CodeProtectedUnread, cause.Parts{Detail: v.Problem})
	}
	if v := j.young.Match(sub, j.now); !v.Match {
		if r.Born.IsZero() {
			return cause.Because(cause.CodeMinAgeUnknown, cause.Parts{Filter: j.MinAge.Typed})
		}
		return cause.Because(cause.CodeMinAge, cause.Parts{Filter: j.MinAge.Typed, Time: r.Born})
	}
	return cause.Cause{}
}

// keeps says by which of its conditions a rule keeps a record that it matches.
func (j *judging) keeps(rule *Rule, i int) cause.Cause {
	k, r := rule.Keep, &j.Records[i]
	parts := cause.Parts{Rule: rule.Name}
	switch {
	case k.All:
		return cause.Because(cause.CodeRuleAll, parts)
	case r.Born.IsZero() && (k.Within.Length > 0 || k.Last > 0 && j.groupOf(i).rule >= 0):
		return cause.Because(cause.CodeRuleAgeUnknown, parts)
	case j.among(k.Last, i):
		j.addRank(&parts, i)
		return cause.Because(cause.CodeRuleLast, parts)
	case k.Within.Length > 0 && r.Born.After(j.now.Add(-k.Within.Length)):
		parts.Filter, parts.Time = k.Within.Typed, r.Born
		return cause.Because(cause.CodeRuleWithin, parts)
	case k.UsedWithin.Length > 0:
		return j.used(k.UsedWithin, parts, r)
	}
	return cause.Cause{}
}

// used says that a unit was used within an age, or that this cannot be excluded
// because use has not been watched for so long. What was pulled or made within it
// may be about to be used.
func (j *judging) used(age Age, parts cause.Parts, r *Record) cause.Cause {
	limit := j.now.Add(-age.Length)
	parts.Filter = age.Typed
	var code cause.Code
	switch last := j.Use.last(r.Unit); {
	case last.After(limit):
		code, parts.Time = cause.CodeRuleUsed, last
	case r.Born.After(limit):
		code, parts.Time = cause.CodeRuleWithin, r.Born
	case r.Born.IsZero():
		return cause.Because(cause.CodeRuleAgeUnknown, cause.Parts{Rule: parts.Rule})
	case j.Use.Since.IsZero():
		code = cause.CodeRuleUnwatched
	case j.Use.Since.After(limit):
		code, parts.Time = cause.CodeRuleWatched, j.Use.Since
	default:
		return cause.Cause{}
	}
	return cause.Because(code, parts)
}

// last is the last use of a unit that is known.
func (u Use) last(unit int) time.Time {
	if u.Last == nil {
		return time.Time{}
	}
	return u.Last(unit)
}

// followTyped lets names that clients keep beside the ones that people type go
// with these: whoever judges a unit as a whole keeps all its names as long as one
// stays.
func (j *judging) followTyped(verdicts []Verdict) {
	typed := make(map[int]int)
	for i, r := range j.Records {
		if _, known := typed[r.Unit]; !known && j.names[i].typed {
			typed[r.Unit] = i
		}
	}
	for i, r := range j.Records {
		first, known := typed[r.Unit]
		if known && !j.names[i].typed && !verdicts[i].protects() {
			verdicts[i] = Verdict{Matched: verdicts[first].Matched, Cause: verdicts[first].Cause}
		}
	}
}

// protects says that no rule was asked: the record is protected as it is.
func (v Verdict) protects() bool { return v.Keep && v.Matched && v.ReasonParts.Rule == "" }
