package retention

// unreachable refuses rules that can never match, because each of their patterns
// is covered by a rule before them. That no rule is found does not mean that
// there is none: only patterns are compared.
func (p *parser) unreachable(policy *Policy) {
	for i := range policy.Rules {
		rule := &policy.Rules[i]
		names := rule.Match.Names
		if len(names) == 0 {
			names = []Pattern{everything}
		}
		by := -1
		for _, name := range names {
			by = policy.rules.covering(name, i, func(earlier int) bool { return policy.Rules[earlier].Match.others(&rule.Match) })
			if by < 0 {
				break
			}
		}
		if by >= 0 {
			p.failAt(rule.at, "rule %q can never match: rule %q, in line %d, matches all of it before", rule.Name, policy.Rules[by].Name, policy.Rules[by].at.line)
		}
	}
}

// others says whether all conditions but those on names cover those of another
// rule.
func (m *Match) others(other *Match) bool {
	return (m.Dangling == nil || other.Dangling != nil && *m.Dangling == *other.Dangling) &&
		allCovered(m.Namespaces, other.Namespaces) && allCovered(m.Tags, other.Tags)
}

// allCovered says whether each of the other patterns is covered by one. No
// patterns are all.
func allCovered(patterns, others []Pattern) bool {
	if len(patterns) == 0 {
		return true
	}
	for _, other := range others {
		covered := false
		for _, p := range patterns {
			covered = covered || p.covers(other)
		}
		if !covered {
			return false
		}
	}
	return len(others) > 0
}
