package filters

import "time"

// Set is a parsed policy: filters that must all hold. It is immutable. The
// zero value is the default policy, dangling images only and nothing else asked.
type Set struct {
	all    bool // not restricted to dangling
	until  []cutoff
	refs   []pattern
	labels []label
}

// Everything returns the set that all images match.
func Everything() Set { return Set{all: true} }

// Match judges sub at the time now. Ages count back from now; filters that
// name a moment are compared with that moment.
func (s Set) Match(sub Subject, now time.Time) Verdict {
	if !s.all && !sub.Dangling {
		return Verdict{Code: notDangling}
	}
	for _, c := range s.until {
		if v := c.objection(sub.Born, now); v.Code != "" {
			return v
		}
	}
	for _, p := range s.refs {
		if v := p.objection(sub.Names); v.Code != "" {
			return v
		}
	}
	for _, l := range s.labels {
		if v := l.objection(sub); v.Code != "" {
			return v
		}
	}
	return Verdict{Match: true}
}

// MatchProtective is Match with only those filters that protect: until, label!
// and reference!. It judges something that dies with another image, such as a
// signature: it need not be dangling, or carry the label or the name that
// chose its subject, but what the user wants kept is kept.
func (s Set) MatchProtective(sub Subject, now time.Time) Verdict {
	guard := Set{all: true, until: s.until}
	for _, p := range s.refs {
		if p.not {
			guard.refs = append(guard.refs, p)
		}
	}
	for _, l := range s.labels {
		if l.not {
			guard.labels = append(guard.labels, l)
		}
	}
	return guard.Match(sub, now)
}

// NeedsLabels reports whether Match looks at the labels of image configs.
func (s Set) NeedsLabels() bool { return len(s.labels) > 0 }

// DanglingOnly reports whether only dangling images can match.
func (s Set) DanglingOnly() bool { return !s.all }

// Strings returns the policy as KEY=VALUE filters in a canonical form and a
// stable order: two Sets that ask the same return the same, and [Parse] of
// them as Options.Filters gives an equal Set. Times are in UTC. The strings
// are exact, so they are not safe to print on a terminal.
func (s Set) Strings() []string {
	out := []string{keyDangling + "=true"}
	if s.all {
		out[0] = keyDangling + "=false"
	}
	for _, c := range s.until {
		out = append(out, keyUntil+"="+c.String())
	}
	for _, p := range s.refs {
		out = append(out, p.String())
	}
	for _, l := range s.labels {
		out = append(out, l.String())
	}
	return out
}
