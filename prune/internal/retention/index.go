package retention

import "slices"

// index finds the first of many patterns that matches. It looks only at those
// whose literal beginning the name has.
type index struct {
	byPrefix map[string][]entry
	lengths  []int // of the prefixes, sorted
}

// entry is a pattern of a rule, or of the protected names; nil for a rule that
// matches any name.
type entry struct {
	number  int
	pattern *Pattern
}

// add adds a pattern. The numbers must not fall.
func (x *index) add(number int, p *Pattern) {
	if p == nil {
		x.insert("", entry{number, nil})
		return
	}
	x.insert(p.literal(), entry{number, p})
	if p.exact != "" && p.exact != p.glob {
		x.insert(p.exact, entry{number, p})
	}
}

func (x *index) insert(prefix string, e entry) {
	if x.byPrefix == nil {
		x.byPrefix = make(map[string][]entry)
	}
	x.byPrefix[prefix] = append(x.byPrefix[prefix], e)
	if at, there := slices.BinarySearch(x.lengths, len(prefix)); !there {
		x.lengths = slices.Insert(x.lengths, at, len(prefix))
	}
}

// first returns the entry with the lowest number that matches the name and that
// is accepted, if there is one.
func (x *index) first(n name, accepted func(number int) bool) (found entry, ok bool) {
	for _, form := range n.forms {
		for _, length := range x.lengths {
			if length > len(form) {
				break
			}
			for _, e := range x.byPrefix[form[:length]] {
				if ok && e.number >= found.number {
					break
				}
				if e.fits(n, form) && accepted(e.number) {
					found, ok = e, true
					break
				}
			}
		}
	}
	return found, ok
}

func (e entry) fits(n name, form string) bool {
	if e.pattern == nil {
		return true
	}
	if n.nameless() && e.pattern.glob[0] == '*' && e.pattern.parts[0] != anyParts {
		return false
	}
	return e.pattern.matches(form)
}

// covering finds an entry with a lower number whose pattern covers the other,
// and that is accepted, -1 if there is none. Such a pattern begins with the
// beginning of the other.
func (x *index) covering(other Pattern, below int, accepted func(number int) bool) int {
	literal := other.literal()
	for _, length := range x.lengths {
		if length > len(literal) {
			break
		}
		for _, e := range x.byPrefix[literal[:length]] {
			if e.number >= below {
				break
			}
			if (e.pattern == nil || e.pattern.covers(other)) && accepted(e.number) {
				return e.number
			}
		}
	}
	return -1
}
