package terminal

import (
	"io"
	"strings"
	"testing"
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
