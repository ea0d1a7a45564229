package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// ago says how long ago something was, in one unit.
func ago(now, t time.Time) string {
	if t.IsZero() {
		return "unknown"
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

// rough is a duration in its largest unit.
func rough(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, d/time.Second))
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d < 730*day:
		return fmt.Sprintf("%dd", d/day)
	default:
		return fmt.Sprintf("%dy", d/(365*day))
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

func intersects(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
