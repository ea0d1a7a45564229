package terminal

import (
	"fmt"
	"time"

	"github.com/docker/go-units"
)

// Size formats bytes like docker: powers of 1000, four digits.
func Size(bytes int64) string { return units.HumanSize(float64(bytes)) }

// SizeAtLeast is a size that may be a lower bound.
func SizeAtLeast(bytes int64, atLeast bool) string {
	if atLeast {
		return "≥" + Size(bytes)
	}
	return Size(bytes)
}

// Count formats a number with its noun; the plural ends in s.
func Count(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// Ago formats how long ago something was, in one unit. A time slightly in the
// future is treated as now, because clocks differ; one further in the future is
// shown as such.
func Ago(now, t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	if t.Sub(now) > time.Minute {
		return Until(now, t)
	}
	return rough(now.Sub(t)) + " ago"
}

// Until says when something ends.
func Until(now, t time.Time) string {
	switch {
	case t.IsZero():
		return "never"
	case t.After(now):
		return "in " + rough(t.Sub(now))
	default:
		return rough(now.Sub(t)) + " ago"
	}
}

// Lasted is how long something took, as people say it.
func Lasted(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%dms", d.Round(time.Millisecond)/time.Millisecond)
	case d < 10*time.Second && d%time.Second != 0:
		return fmt.Sprintf("%.1fs", d.Seconds())
	default:
		return rough(d)
	}
}

// rough is a duration in one unit, rounded. From 2 of a unit on it is that unit, also
// where only rounding to the next smaller one makes it 2: 2h and not 120m.
func rough(d time.Duration) string {
	const day = 24 * time.Hour
	for _, unit := range []struct {
		length, from, smaller time.Duration
		sign                  string
	}{{365 * day, 730 * day, day, "y"}, {day, 2 * day, time.Hour, "d"}, {time.Hour, 2 * time.Hour, time.Minute, "h"}, {time.Minute, 2 * time.Minute, time.Second, "m"}} {
		if d.Round(unit.smaller) >= unit.from {
			return fmt.Sprintf("%d%s", d.Round(unit.length)/unit.length, unit.sign)
		}
	}
	return fmt.Sprintf("%ds", max(0, d.Round(time.Second)/time.Second))
}
