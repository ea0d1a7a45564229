package retention

import (
	"fmt"
	"strings"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
)

// Trial is what a policy does with a name of which nothing else is known.
type Trial struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Rule is the one that matches, "" if none does.
	Rule string `json:"rule"`
	// Outcome is keep, remove, or depends: on the other images of the repository,
	// on its age, or on its use.
	Outcome string `json:"outcome"`
	cause.Cause
}

// Try judges a name alone. Nameless says that nobody would type it.
func (p *Policy) Try(namespace, stored string, nameless bool) Trial {
	record := Record{Name: stored, Nameless: nameless, Dangling: nameless}
	j := &judging{Policy: p, Namespace: Namespace{Name: namespace, Records: []Record{record}}, names: []name{readName(stored, nameless)}}
	t := Trial{Namespace: namespace, Name: stored, Outcome: "keep"}
	if found, ok := p.protected.first(j.names[0], func(int) bool { return true }); ok {
		t.Cause = cause.Because(cause.CodeProtectedName, cause.Parts{Filter: found.pattern.String()})
		return t
	}
	number := j.ruleOf(0)
	if number < 0 {
		t.Cause = cause.Plainly(cause.CodeNoRule)
		return t
	}
	rule := p.Rules[number]
	t.Rule = rule.Name
	parts := cause.Parts{Rule: rule.Name}
	switch k := rule.Keep; {
	case k.All:
		t.Cause = cause.Because(cause.CodeRuleAll, parts)
	case k == Keep{} || k == Keep{Last: k.Last} && j.names[0].nameless():
		t.Outcome, t.Cause = "remove", cause.Because(cause.CodeRuleGoes, parts)
	default:
		t.Outcome, parts.Filter = "depends", k.String()
		t.Cause = cause.Because(cause.CodeRuleDepends, parts)
	}
	return t
}

// String says what is kept, as a part of a sentence.
func (k Keep) String() string {
	switch {
	case k.All:
		return "all"
	case k == Keep{}:
		return "none"
	}
	var kept []string
	if k.Last == 1 {
		kept = append(kept, "the newest of its repository")
	} else if k.Last > 1 {
		kept = append(kept, fmt.Sprintf("the %d newest of its repository", k.Last))
	}
	if k.Within.Length > 0 {
		kept = append(kept, "what is younger than "+k.Within.Typed)
	}
	if k.UsedWithin.Length > 0 {
		kept = append(kept, "what was used within "+k.UsedWithin.Typed)
	}
	return strings.Join(kept, " and ")
}
