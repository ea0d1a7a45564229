package filters

import (
	"errors"
	"strings"
	"time"
)

// cutoff is one until filter: an age, or a point in time if fixed. An age is
// not converted, so a Set that is used again later counts back from that later
// time.
type cutoff struct {
	age   time.Duration
	at    time.Time // UTC
	fixed bool
}

// ParseCutoff parses an age or a point in time and returns the time it means:
// what is younger is kept. An age counts back from now. A time may be in RFC
// 3339; or a date, or a date and time, without a zone (2026-01-31,
// 2026-01-31T15:04, optionally with seconds), in the location of now, where a
// date alone means midnight; or a Unix time in seconds with an optional
// fraction, recognised by having at least nine digits. A time in the future is
// refused: it would let everything go, and can only be a mistake. Errors are
// [*Error]s.
func ParseCutoff(s string, now time.Time) (time.Time, error) {
	c, err := parseCutoff(s, now)
	if err != nil {
		return time.Time{}, err
	}
	return c.moment(now), nil
}

// parseCutoff is ParseCutoff before an age is counted back.
func parseCutoff(s string, now time.Time) (cutoff, error) {
	var at time.Time
	var err error
	switch {
	case len(s) > maxInput || !strings.HasPrefix(s, "-") && digits(s) == 0:
		err = &Error{What: quote(s) + " is neither an age nor a time", Instead: timeForms}
	case isUnix(s):
		at, err = parseUnix(s, now)
	case digits(s) == 4 && strings.HasPrefix(s[4:], "-"):
		at, err = parseDate(s, now.Location())
	default:
		return parseAgeCutoff(s)
	}
	if err == nil && at.After(now) {
		err = &Error{What: quote(s) + " is in the future", Instead: "everything is older than that; type a time that is past, or an age such as 72h"}
	}
	if err != nil {
		return cutoff{}, err
	}
	return cutoff{at: at, fixed: true}, nil
}

// parseAgeCutoff parses an age where a time is allowed too, which the error for
// a bare number says.
func parseAgeCutoff(s string) (cutoff, error) {
	age, err := ParseAge(s)
	if err == nil {
		return cutoff{age: age}, nil
	}
	var e *Error
	if errors.As(err, &e) && strings.Trim(s, ".0123456789") == "" {
		err = &Error{What: e.What, Instead: e.Instead + " (a Unix time has at least 9 digits)"}
	}
	return cutoff{}, err
}

// moment is the point in time that a cutoff means at the time now.
func (c cutoff) moment(now time.Time) time.Time {
	if c.fixed {
		return c.at
	}
	return now.Add(-c.age)
}

// String returns the value in its canonical form, as it may be typed.
func (c cutoff) String() string {
	if c.fixed {
		return c.at.Format(time.RFC3339Nano)
	}
	return formatAge(c.age)
}

// objection says why the filter keeps something created at born; its code is
// empty if the filter does not. Something that has exactly the given age may be
// removed. If the time is unknown or in the future, it is kept.
func (c cutoff) objection(born, now time.Time) Verdict {
	v := Verdict{Filter: keyUntil + "=" + c.String(), Born: born, now: now}
	switch {
	case born.IsZero():
		v.Code = ageUnknown
	case born.After(now):
		v.Code = inFuture
	case !born.After(c.moment(now)):
		return Verdict{}
	case c.fixed:
		v.Code = newer
	default:
		v.Code = younger
	}
	return v
}
