// Package terminaltest has what tests need that show text of a store: any text
// that a store may hold, and a look for what must not reach a terminal. Only
// tests import it.
package terminaltest

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// Anything is what a store may hold: runes that terminals act on among others,
// and bytes that are no text.
func Anything() *rapid.Generator[string] {
	odd := rapid.SampledFrom([]string{"\x1b", "\n", "\r", "\t", "\x00", "\u202e", "\u2066", "\u009b", "\u200b", "\xff", "\xe2\x82", "日", "e\u0301", `\`, `"`, "sha256:"})
	return rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		for range rapid.IntRange(0, 12).Draw(t, "parts") {
			b.WriteString(rapid.OneOf(odd, rapid.String()).Draw(t, "part"))
		}
		return b.String()
	})
}

// Unprintable returns the first rune that must not reach a terminal.
func Unprintable(s string) (rune, bool) {
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
