package bench

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// stallGoals says of each goal whether it was met at a size.
func stallGoals(images int, rows map[string]load) string {
	nothing, empty, ours := rows[besideNothing], rows[besideEmpty], rows[besideOurs]
	whole := func(name string) time.Duration { return median(rows[name].wholes) }
	worst := max(percentile(nothing.containers, 100), median(empty.wholes), percentile(empty.containers, 100))
	var b strings.Builder
	goal := func(what string, is, beside time.Duration, times float64) {
		word := "missed"
		switch {
		case is == 0 || beside == 0:
			word = "not measured"
		case float64(is) <= times*float64(beside):
			word = "met"
		}
		fmt.Fprintf(&b, "- %d images, %s: at most %.2f times %s, %s: %s\n", images, what, times, millis(beside), millis(is), word)
	}
	goal("worst container creation, to that beside nothing or an empty collection", percentile(ours.containers, 100), worst, 2)
	goal("p99 of container creation, to that beside nothing", percentile(ours.containers, 99), percentile(nothing.containers, 99), 1.5)
	goal("p99 of small blobs while records are deleted, to that beside nothing", percentile(rows[besideDeletes].blobs, 99), percentile(nothing.blobs, 99), 2)
	if images >= 1000 {
		goal("whole run, to plain deletions", whole(besideOurs), whole(besideFloor), 1.25)
	}
	goal("whole run with `--max-stall 0`, to plain deletions", whole(besideAtOnce), whole(besideFloor), 1.1)
	return b.String()
}

// largeGoals says whether slices are worth it where a collection takes long that
// removes nothing.
func largeGoals(kept int, rows map[string]load) string {
	ours, atOnce := median(rows[besideOurs].wholes), median(rows[besideAtOnce].wholes)
	word := "missed"
	if ours <= 2*atOnce {
		word = "met"
	}
	return fmt.Sprintf("- %d images that stay, whole run, to `--max-stall 0`: at most 2.00 times %s, %s: %s\n", kept, millis(atOnce), millis(ours), word)
}

// What the goals say follows from the figures, and what was not measured is not
// called met.
func TestStallGoals(t *testing.T) {
	one := func(d time.Duration) load {
		return load{wholes: []time.Duration{d}, containers: []time.Duration{d}, blobs: []time.Duration{d}}
	}
	const ms = time.Millisecond
	rows := map[string]load{
		besideNothing: one(100 * ms), besideEmpty: one(50 * ms), besideOurs: one(160 * ms), besideAtOnce: one(120 * ms),
		besideDeletes: one(201 * ms), besideFloor: one(110 * ms),
	}
	text := stallGoals(1000, rows)
	var words []string
	for line := range strings.Lines(text) {
		words = append(words, strings.TrimSpace(line[strings.LastIndex(line, ": ")+1:]))
	}
	if got := strings.Join(words, ", "); got != "met, missed, missed, missed, met" {
		t.Errorf("%s\n%s", got, text)
	}
	if text := stallGoals(200, nil); strings.Count(text, "not measured") != 4 {
		t.Error(text)
	}
}
