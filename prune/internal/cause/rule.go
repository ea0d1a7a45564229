package cause

import (
	"fmt"
	"time"
)

// byRule begins the sentence of what a rule of a policy keeps.
func (p *Parts) byRule() string { return fmt.Sprintf("kept by rule %q", p.Rule) }

// goes is the sentence of what a rule does not keep.
func goes(p *Parts) string {
	text := fmt.Sprintf("unused, and not kept by rule %q", p.Rule)
	if p.Rank > 0 {
		text += ": " + p.place()
	}
	return text
}

// place is the rank of an image in its repository.
func (p *Parts) place() string {
	if p.Rank == 1 {
		return fmt.Sprintf("the newest of %d in %s", p.Ranked, p.Repository)
	}
	return fmt.Sprintf("%s newest of %d in %s", ordinal(p.Rank), p.Ranked, p.Repository)
}

// ordinal is a number as a place: 2nd, 3rd, 11th.
func ordinal(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprint(n, suffix)
}

// younger adds the age of a policy, and the time from which that of an image
// counts.
func (p *Parts) younger(text string) string { return p.since(text + " " + p.Filter + ", from") }

func (p *Parts) since(text string) string { return text + " " + p.Time.UTC().Format(time.RFC3339) }

func (p *Parts) unwatched() string {
	return fmt.Sprintf("%s: use within %s cannot be excluded, because ", p.byRule(), p.Filter)
}

// age is an age as people type it: in hours, and in days from four on.
func age(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 4*day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return d.String()
}
