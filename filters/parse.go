package filters

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Options are the filters of a user, as they were typed.
type Options struct {
	All     bool     // the same as the filter dangling=false
	Until   []string // ages and times: the same as filters until=
	Filters []string // each KEY=VALUE
}

// Parse turns options into a Set. An image has to match all of them; without
// All or a dangling filter only dangling images match. now provides the
// location of dates without a zone, and the limit beyond which a Unix time must
// be a mistake.
//
// Anything that is not understood is an [*Error]; nothing is ignored.
func Parse(opts Options, now time.Time) (Set, error) {
	p := parser{now: now, allTyped: opts.All}
	for _, value := range opts.Until {
		if err := p.until(optionUntil, "", value); err != nil {
			return Set{}, err
		}
	}
	for _, typed := range opts.Filters {
		if err := p.filter(typed); err != nil {
			return Set{}, err
		}
	}
	return p.finish()
}

// parser collects a Set. Contradictions are found only at the end.
type parser struct {
	now                   time.Time
	set                   Set
	allTyped              bool
	trueTyped, falseTyped string // the dangling filters, as typed
}

// finish resolves dangling and puts the filters in their canonical order.
func (p *parser) finish() (Set, error) {
	switch {
	case p.trueTyped != "" && p.allTyped:
		return Set{}, &Error{
			Option: optionFilter, What: quote(p.trueTyped) + " contradicts asking for all images",
			Instead: "ask for all unused images, or for dangling ones only",
		}
	case p.trueTyped != "" && p.falseTyped != "":
		return Set{}, &Error{
			Option: optionFilter, What: quote(p.trueTyped) + " contradicts " + quote(p.falseTyped),
			Instead: "type only one of them",
		}
	}
	s := p.set
	s.all = p.allTyped || p.falseTyped != ""
	s.until = canonical(s.until)
	s.images = canonical(s.images)
	s.refs = canonical(s.refs)
	s.labels = canonical(s.labels)
	return s, nil
}

// canonical sorts filters of one kind by what they say and drops repetitions.
func canonical[F interface{ String() string }](in []F) []F {
	slices.SortFunc(in, func(a, b F) int { return strings.Compare(a.String(), b.String()) })
	return slices.CompactFunc(in, func(a, b F) bool { return a.String() == b.String() })
}

// filter parses one KEY=VALUE.
func (p *parser) filter(typed string) error {
	key, value, found := strings.Cut(typed, "=")
	bare, not := strings.CutSuffix(key, "!")
	switch {
	case !found:
		return noEquals(typed)
	case example(bare) == "":
		return unknownKey(typed, key)
	case not && !negatable(bare):
		return &Error{Option: optionFilter, What: quote(typed) + " uses !=, which " + bare + " does not have", Instead: "type " + example(bare)}
	case value == "":
		return &Error{Option: optionFilter, What: quote(typed) + " has no value", Instead: "type " + example(bare)}
	case !utf8.ValidString(value):
		return &Error{Option: optionFilter, What: quote(typed) + " is not valid UTF-8", Instead: "type " + example(bare)}
	case strings.TrimSpace(value) != value:
		return spaced(typed)
	}
	return p.known(typed, bare, value, not)
}

// known parses the value of a filter whose key is known.
func (p *parser) known(typed, key, value string, not bool) error {
	switch key {
	case keyDangling:
		return p.dangling(typed, value)
	case keyUntil:
		return p.until(optionFilter, "until=", value)
	case keyBefore, keySince, keyID:
		parsed, err := parseImage(typed, key, value)
		p.set.images = append(p.set.images, parsed)
		return err
	case keyReference:
		parsed, err := parsePattern(typed, value, not)
		p.set.refs = append(p.set.refs, parsed)
		return err
	default:
		parsed, err := parseLabel(typed, value, not)
		p.set.labels = append(p.set.labels, parsed)
		return err
	}
}

// until parses the value of the option until or of a filter until=; before is
// the text in front of it.
func (p *parser) until(option, before, value string) error {
	c, err := parseCutoff(value, p.now)
	if err != nil {
		return prefixed(option, before, err)
	}
	p.set.until = append(p.set.until, c)
	return nil
}

// dangling records a dangling= filter. The boolean values are those of docker.
func (p *parser) dangling(typed, value string) error {
	on, err := strconv.ParseBool(value)
	switch {
	case err != nil:
		return &Error{Option: optionFilter, What: "dangling=" + quote(value) + " is neither true nor false", Instead: "type " + example(keyDangling)}
	case on:
		p.trueTyped = typed
	default:
		p.falseTyped = typed
	}
	return nil
}

// noEquals is the error for a filter without "=".
func noEquals(typed string) error {
	instead := "type KEY=VALUE; " + knownKeys
	if near := nearestKey(typed); near != "" {
		instead = "type " + example(strings.TrimSuffix(near, "!"))
	}
	return &Error{Option: optionFilter, What: quote(typed) + " has no =", Instead: instead}
}

// spaced is the error for a value that begins or ends with white space. Taken
// literally it would match nothing, so a label!= or reference!= would protect
// nothing.
func spaced(typed string) error {
	return &Error{Option: optionFilter, What: quote(typed) + " has white space around a value", Instead: "type it without"}
}
