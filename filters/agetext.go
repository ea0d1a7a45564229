package filters

import (
	"fmt"
	"strings"
	"time"
)

// formatAge formats an age so that ParseAge reads it back: in hours below four
// days, as people type 24h, 48h and 72h, and with days above.
func formatAge(age time.Duration) string {
	days := ""
	if age >= 4*day {
		days = fmt.Sprintf("%dd", age/day)
		age %= day
	}
	if age == 0 && days != "" {
		return days
	}
	rest := age.String()
	if strings.HasSuffix(rest, "m0s") {
		rest = strings.TrimSuffix(rest, "0s")
	}
	if strings.HasSuffix(rest, "h0m") {
		rest = strings.TrimSuffix(rest, "0m")
	}
	return days + rest
}

// roughAge formats an age for people, rounded down to its largest unit, so that
// an age below a limit is never shown as having reached it.
func roughAge(age time.Duration) string {
	switch {
	case age < time.Minute:
		return fmt.Sprintf("%ds", age/time.Second)
	case age < time.Hour:
		return fmt.Sprintf("%dm", age/time.Minute)
	case age < 2*day:
		return fmt.Sprintf("%dh", age/time.Hour)
	}
	return fmt.Sprintf("%dd", age/day)
}
