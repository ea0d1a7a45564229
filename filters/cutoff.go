package filters

import (
	"errors"
	"strings"
	"time"
)

// cutoff is one until filter: an age, or a moment if fixed. An age stays an
// age, so that a Set which is used again later counts back from then.
type cutoff struct {
	age   time.Duration
	at    time.Time // UTC
	fixed bool
}

// ParseCutoff parses an age or a point in time and returns the moment it
// means: what is younger stays. An age counts back from now. A time may be RFC
// 3339; a date or a date and time without a zone (2026-01-31,
// 2026-01-31T15:04, with seconds if wanted), which means the location of now, a
// date alone its midnight; or a Unix time in seconds with an optional fraction,
// told from a number without a unit by its nine digits or more. A moment in the
// future is accepted, except as a Unix time more than a day ahead, which is a
// slip (milliseconds, or 2026013115). Errors are [*Error]s.
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
	if err != nil {
		return cutoff{}, err
	}
	return cutoff{at: at, fixed: true}, nil
}

// parseAgeCutoff parses an age where a time would do as well, and says so to
// whoever typed a bare number.
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

// moment is the point in time a cutoff means at the time now.
func (c cutoff) moment(now time.Time) time.Time {
	if c.fixed {
		return c.at
	}
	return now.Add(-c.age)
}

// String returns the value as it may be typed, in its canonical form.
func (c cutoff) String() string {
	if c.fixed {
		return c.at.Format(time.RFC3339Nano)
	}
	return formatAge(c.age)
}

// objection says why something born then stays, with no code if it does not.
// What is exactly as old as asked goes. A birth that is unknown or still to
// come proves nothing.
func (c cutoff) objection(born, now time.Time) Verdict {
	v := Verdict{Filter: keyUntil + "=" + c.String(), Born: born, Now: now}
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
