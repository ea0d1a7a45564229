package filters

import "time"

// Set is a set of parsed filters that must all match. It is immutable. The zero
// value is the default: it matches all dangling images, and no others.
type Set struct {
	all    bool // not restricted to dangling
	until  []cutoff
	images []image
	refs   []pattern
	labels []label
}

// Everything returns the set that matches all images.
func Everything() Set { return Set{all: true} }

// Match judges sub at the time now. Ages count back from now; filters with a
// point in time are compared with that time.
func (s Set) Match(sub Subject, now time.Time) Verdict {
	if !s.all && !sub.Dangling {
		return Verdict{Code: notDangling}
	}
	for _, c := range s.until {
		if v := c.objection(sub.Born, now); v.Code != "" {
			return v
		}
	}
	for _, i := range s.images {
		if v := i.objection(sub, now); v.Code != "" {
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

// MatchProtective is like Match, but applies only the filters that protect:
// until, before, since, label!= and reference!=. It judges something that is removed along
// with another image, such as a signature: it need not be dangling, or have the
// label or the name by which its subject was selected, but what the user wants
// to keep is kept.
func (s Set) MatchProtective(sub Subject, now time.Time) Verdict {
	guard := Set{all: true, until: s.until}
	for _, i := range s.images {
		if i.key != keyID {
			guard.images = append(guard.images, i)
		}
	}
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

// Strings returns the set as KEY=VALUE filters in a canonical form and a stable
// order: equal Sets return the same strings, and [Parse] with these as
// Options.Filters returns an equal Set. Times are in UTC. The strings are
// exact, so they are not safe to print on a terminal.
func (s Set) Strings() []string {
	out := []string{keyDangling + "=true"}
	if s.all {
		out[0] = keyDangling + "=false"
	}
	for _, c := range s.until {
		out = append(out, keyUntil+"="+c.String())
	}
	for _, i := range s.images {
		out = append(out, i.String())
	}
	for _, p := range s.refs {
		out = append(out, p.String())
	}
	for _, l := range s.labels {
		out = append(out, l.String())
	}
	return out
}
