package filters

import (
	"strconv"
	"strings"
	"time"
)

// timeForms is the advice in errors where an age or a time may be typed.
const timeForms = "type an age such as 72h, 3d, 2w or 1d12h, a date such as 2026-01-31, an RFC 3339 time, or a Unix time of at least 9 digits"

// dateLayouts are the accepted layouts of dates and times, those with a zone
// first. Seconds may have a fraction.
func dateLayouts() [5]string {
	return [...]string{time.RFC3339, "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly}
}

// parseDate parses a date, or a date and time, of the years 1970 to 9999.
func parseDate(s string, loc *time.Location) (time.Time, error) {
	for _, layout := range dateLayouts() {
		at, err := time.ParseInLocation(layout, s, loc)
		if err != nil {
			continue // the other layouts are tried; if none fits, the error below is clearer than any of theirs
		}
		at = at.UTC()
		if at.Unix() < 0 || at.Year() > 9999 {
			return time.Time{}, &Error{What: quote(s) + " is out of range", Instead: "type a time between 1970 and 9999"}
		}
		return at, nil
	}
	return time.Time{}, &Error{What: quote(s) + " is not a date or time that exists", Instead: "type it as 2026-01-31, 2026-01-31T15:04 or 2026-01-31T15:04:05Z"}
}

// isUnix reports whether s has the form of a Unix time: nine digits or more
// (that is, from 1973 on), with or without a fraction.
func isUnix(s string) bool {
	n := digits(s)
	if n < 9 {
		return false
	}
	fraction, dot := strings.CutPrefix(s[n:], ".")
	return s[n:] == "" || dot && fraction != "" && digits(fraction) == len(fraction)
}

// parseUnix parses SECONDS or SECONDS.FRACTION; digits beyond nanoseconds are
// dropped.
func parseUnix(s string, now time.Time) (time.Time, error) {
	whole, fraction, _ := strings.Cut(s, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds > now.Unix() {
		return time.Time{}, &Error{What: quote(s) + " as a Unix time is in the future", Instead: "type whole seconds such as 1767225600, or a date such as 2026-01-31"}
	}
	nanos, err := strconv.ParseInt((fraction + "000000000")[:9], 10, 64)
	if err != nil {
		return time.Time{}, &Error{What: quote(s) + " is not a Unix time", Instead: timeForms}
	}
	return time.Unix(seconds, nanos).UTC(), nil
}
