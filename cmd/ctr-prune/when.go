package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// ago says how long ago something was, in one unit. Clocks differ a little;
// what is further in the future was dated so, and is shown like that.
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	if t.Sub(now) > time.Minute {
		return until(now, t)
	}
	return rough(now.Sub(t)) + " ago"
}

// until says when something ends.
func until(now, t time.Time) string {
	switch {
	case t.IsZero():
		return "never"
	case t.After(now):
		return "in " + rough(t.Sub(now))
	default:
		return rough(now.Sub(t)) + " ago"
	}
}

// rough is a duration in one unit, rounded.
func rough(d time.Duration) string {
	const day = 24 * time.Hour
	for _, unit := range []struct {
		length, from time.Duration
		sign         string
	}{{365 * day, 730 * day, "y"}, {day, 2 * day, "d"}, {time.Hour, 2 * time.Hour, "h"}, {time.Minute, 2 * time.Minute, "m"}} {
		if d >= unit.from {
			return fmt.Sprintf("%d%s", d.Round(unit.length)/unit.length, unit.sign)
		}
	}
	return fmt.Sprintf("%ds", max(0, d.Round(time.Second)/time.Second))
}

func itoa(n int) string { return strconv.Itoa(n) }

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
