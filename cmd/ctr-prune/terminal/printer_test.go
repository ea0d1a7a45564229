package terminal

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestNamesShowTheirEnds(t *testing.T) {
	long := "evil.example/long:" + strings.Repeat("x", 20_000)
	pipe, screen := New(io.Discard), New(io.Discard)
	screen.Width = 80
	for _, c := range []struct{ in, want string }{{" ", `" "`}, {"", `""`}, {" a", `" a"`}, {"a b", "a b"}} {
		if got := pipe.Name(c.in); got != c.want {
			t.Errorf("Name(%q) = %s, want %s", c.in, got, c.want)
		}
	}
	if pipe.Name(long) != long {
		t.Error("a long name is cut in a pipe")
	}
	if got := screen.Name(long); len([]rune(got)) != longestName || !strings.Contains(got, ellipsis) {
		t.Errorf("a long name fills the screen with %d characters", len([]rune(got)))
	}
	screen.Whole = true
	if screen.Name(long) != long {
		t.Error("a long name is cut with --no-trunc")
	}
}

// Times of sentences are in the zone of the user; a name that looks like one stays.
func TestTimesOfSentences(t *testing.T) {
	p := New(nil)
	p.Zone = time.FixedZone("", 2*60*60)
	for in, want := range map[string]string{
		"from 2026-01-31T23:00:00Z: 3 removed":               "from 2026-02-01T01:00:00+02:00: 3 removed",
		"abandoned: last written to at 2026-01-31T10:00:00Z": "abandoned: last written to at 2026-01-31T12:00:00+02:00",
		"(its lease expires at 2026-01-31T10:00:00Z)":        "(its lease expires at 2026-01-31T12:00:00+02:00)",
		"label expire=2026-01-31T10:00:00Z":                  "label expire=2026-01-31T10:00:00Z",
		`image "2026-01-31T10:00:00Z"`:                       `image "2026-01-31T10:00:00Z"`,
		"2026-99-31T10:00:00Z":                               "2026-99-31T10:00:00Z",
	} {
		if got := p.Times(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
