// Package terminaltest has what tests need that show text from a store:
// examples of any text that a store may contain, and a search for what must not
// reach a terminal. Only tests import it.
package terminaltest

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// Anything is text that a store may contain: runes that control terminals,
// among others, and invalid UTF-8.
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
