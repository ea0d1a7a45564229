package main

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestQuoteMakesTheInvisibleVisible(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"docker.io/library/nginx:1.27", "docker.io/library/nginx:1.27"},
		{"größe 日本 🐳", "größe 日本 🐳"},
		{"\x1b[31mred\x1b[0m", `\x1b[31mred\x1b[0m`},
		{"a\nb\tc\rd", `a\nb\tc\rd`},
		{"\u202egnp.exe", `\u202egnp.exe`},
		{"c1:\u009b31m", `c1:\x9b31m`},
		{"bad \xff\xfe utf", `bad \xff\xfe utf`},
		{"cut \xe2\x82", `cut \xe2\x82`},
		{"\x00\x7f", `\x00\x7f`},
		{"zero\u200bwidth\ufeff", `zero\u200bwidth\ufeff`},
		{"tag \U000e0041", `tag \U000e0041`},
		{"replaced \ufffd", `replaced \ufffd`},
		{"", ""},
	} {
		if got := quote(c.in); got != c.want {
			t.Errorf("quote(%q) = %s, want %s", c.in, got, c.want)
		}
	}
}

// anything is what a store may hold: runes that terminals act on among others,
// and bytes that are no text.
func anything() *rapid.Generator[string] {
	odd := rapid.SampledFrom([]string{"\x1b", "\n", "\r", "\t", "\x00", "\u202e", "\u2066", "\u009b", "\u200b", "\xff", "\xe2\x82", "日", "e\u0301", `\`, `"`, "sha256:"})
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(0, 12).Draw(t, "parts") {
			b.WriteString(rapid.OneOf(odd, rapid.String()).Draw(t, "part"))
		}
		return b.String()
	})
}

// unprintable returns the first rune that must not reach a terminal.
func unprintable(s string) (rune, bool) {
	if !utf8.ValidString(s) {
		return utf8.RuneError, true
	}
	for _, r := range s {
		if !strconv.IsPrint(r) {
			return r, true
		}
	}
	return 0, false
}

func TestQuotedTextIsPrintableAndStaysAsItIs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anything().Draw(t, "s")
		once := quote(s)
		if r, bad := unprintable(once); bad {
			t.Fatalf("quote(%q) has %U in it", s, r)
		}
		if twice := quote(once); twice != once {
			t.Fatalf("quoting %q again changes it to %q", once, twice)
		}
	})
}

func TestNamesShowTheirEnds(t *testing.T) {
	long := "evil.example/long:" + strings.Repeat("x", 20_000)
	f := newFake("")
	pipe := f.printer(f.stdout)
	f.terminal(80, f.stdout)
	screen := f.printer(f.stdout)
	for _, c := range []struct{ in, want string }{{" ", `" "`}, {"", `""`}, {" a", `" a"`}, {"a b", "a b"}} {
		if got := pipe.name(c.in); got != c.want {
			t.Errorf("name(%q) = %s, want %s", c.in, got, c.want)
		}
	}
	if pipe.name(long) != long {
		t.Error("a long name is cut in a pipe")
	}
	if got := screen.name(long); len([]rune(got)) != longestName || !strings.Contains(got, ellipsis) {
		t.Errorf("a long name fills the screen with %d characters", len([]rune(got)))
	}
	screen.whole = true
	if screen.name(long) != long {
		t.Error("a long name is cut with --no-trunc")
	}
}

func TestColourOnlyWhereItIsWanted(t *testing.T) {
	for _, c := range []struct {
		name     string
		terminal bool
		env      map[string]string
		want     bool
	}{
		{"terminal", true, nil, true},
		{"pipe", false, nil, false},
		{"NO_COLOR", true, map[string]string{"NO_COLOR": "1"}, false},
		{"NO_COLOR empty", true, map[string]string{"NO_COLOR": ""}, true},
		{"dumb terminal", true, map[string]string{"TERM": "dumb"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake("")
			f.env(c.env)
			if c.terminal {
				f.terminal(80, f.stdout)
			}
			painted := f.printer(f.stdout).paint(red, "x")
			if got := strings.Contains(painted, "\x1b["); got != c.want {
				t.Errorf("painted as %q", painted)
			}
		})
	}
}
