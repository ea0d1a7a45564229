package filters

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// maxInput is the length in bytes of the longest age, time or size that is
// parsed.
const maxInput = 64

// ageForms is the advice in errors about ages.
const ageForms = "type an age such as 72h, 3d, 2w or 1d12h"

// ParseAge parses an age: numbers with units, added up, such as 72h, 3d, 2w,
// 1d12h or 1.5h. Units are w (7 days), d (24 hours), h, m, s, ms, us and ns. A
// number without a unit, a negative age and one of more than 292 years are
// [*Error]s.
func ParseAge(s string) (time.Duration, error) {
	if err := checkAge(s); err != nil {
		return 0, err
	}
	var total time.Duration
	for rest := s; rest != ""; {
		number, unit, after := nextTerm(rest)
		scale, ok := unitOf(unit)
		switch {
		case number == "":
			return 0, &Error{What: quote(s) + " is not an age", Instead: ageForms}
		case unit == "":
			return 0, noUnit(s, number)
		case !ok:
			return 0, &Error{What: quote(s) + " has an unknown unit " + quote(unit), Instead: ageForms + ", with units w, d, h, m and s"}
		}
		term, ok := scaled(number, scale)
		if !ok || term > math.MaxInt64-total {
			return 0, &Error{What: quote(s) + " is too long an age", Instead: "type one below 292 years, such as 52w"}
		}
		total += term
		rest = after
	}
	return total, nil
}

// checkAge refuses input that cannot be an age, before it is parsed.
func checkAge(s string) error {
	switch {
	case s == "":
		return &Error{What: quote(s) + " is empty", Instead: ageForms}
	case len(s) > maxInput:
		return &Error{What: quote(s) + " is too long to be an age", Instead: ageForms}
	case s[0] == '-':
		return &Error{What: quote(s) + " is negative", Instead: ageForms + ", without a minus sign"}
	}
	return nil
}

// noUnit is the error for an age that ends in a number.
func noUnit(s, number string) error {
	if s != number || len(s) > 8 {
		return &Error{What: quote(s) + " ends without a unit", Instead: ageForms}
	}
	return &Error{What: quote(s) + " has no unit", Instead: fmt.Sprintf("type %sh for hours, %sd for days or %sw for weeks", s, s, s)}
}

// nextTerm splits a number (digits, with a fraction if any) and its unit off s.
// If s does not begin with a number, number is "".
func nextTerm(s string) (number, unit, rest string) {
	end := digits(s)
	if end == 0 {
		return "", "", s
	}
	if end < len(s) && s[end] == '.' {
		fraction := digits(s[end+1:])
		if fraction == 0 {
			return "", "", s
		}
		end += 1 + fraction
	}
	number, rest = s[:end], s[end:]
	next := strings.IndexAny(rest, ".0123456789")
	if next < 0 {
		next = len(rest)
	}
	return number, rest[:next], rest[next:]
}

// digits returns how many ASCII digits s begins with.
func digits(s string) int {
	return len(s) - len(strings.TrimLeft(s, "0123456789"))
}

// unitOf returns the duration of a unit. Months and years are not units,
// because they have no fixed length.
func unitOf(unit string) (time.Duration, bool) {
	switch unit {
	case "w":
		return week, true
	case "d":
		return day, true
	case "h":
		return time.Hour, true
	case "m":
		return time.Minute, true
	case "s":
		return time.Second, true
	case "ms":
		return time.Millisecond, true
	case "us", "µs", "μs":
		return time.Microsecond, true
	case "ns":
		return time.Nanosecond, true
	}
	return 0, false
}

// scaled returns number × unit, the whole part exactly, the fraction rounded to
// the nanosecond. It reports false if that is more than a Duration can hold.
func scaled(number string, unit time.Duration) (time.Duration, bool) {
	whole, fraction, _ := strings.Cut(number, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > math.MaxInt64/int64(unit) {
		return 0, false
	}
	part, err := strconv.ParseFloat("0."+fraction, 64)
	if err != nil {
		return 0, false
	}
	product := time.Duration(n) * unit
	extra := time.Duration(math.Round(part * float64(unit)))
	return product + extra, extra <= math.MaxInt64-product
}
