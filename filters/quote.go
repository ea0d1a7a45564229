package filters

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxShown is how many bytes of one input a message quotes. There are names of
// 20,000 characters, and a reason must fit in a line of a table.
const maxShown = 200

// maxSentence is how long a sentence may be, such as why a blob cannot be read,
// with the paths in it. A longer one is quoted and cut like any other text.
const maxSentence = 400

// quote puts s in double quotes with every control, escape and bidi character
// escaped, cut to a length that fits a message.
func quote(s string) string {
	short, cut := clip(s)
	if cut {
		return strconv.Quote(short) + "…"
	}
	return strconv.Quote(short)
}

// show returns a word unchanged if it is harmless and unambiguous, and
// otherwise quoted.
func show(s string) string {
	odd := func(r rune) bool { return unprintable(r) || r == ' ' || r == '"' }
	if s == "" || len(s) > maxShown || strings.ContainsFunc(s, odd) {
		return quote(s)
	}
	return s
}

// sentence is like show, for text that may contain spaces and quotes.
func sentence(s string) string {
	if len(s) > maxSentence || strings.ContainsFunc(s, unprintable) {
		return quote(s)
	}
	return s
}

// unprintable reports whether r must not reach a terminal. Go ranges over bytes
// that are not UTF-8 as RuneError, which by itself would count as printable.
func unprintable(r rune) bool { return r == utf8.RuneError || !strconv.IsPrint(r) }

// clip cuts s to maxShown bytes without splitting a character.
func clip(s string) (short string, cut bool) {
	if len(s) <= maxShown {
		return s, false
	}
	end := maxShown
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end], true
}
