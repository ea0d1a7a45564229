package terminal

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// UTF8 says whether a locale, as the environment names it, has UTF-8. Where none is
// named, as in many containers, the terminal is most likely a modern one.
func UTF8(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := getenv(name); locale != "" {
			charset := strings.ToLower(strings.ReplaceAll(locale, "-", ""))
			return strings.Contains(charset, "utf8")
		}
	}
	return true
}

// The mark of what was cut, and its form in ASCII.
const (
	ellipsis      = "…"
	asciiEllipsis = ".."
)

// mark marks what was cut.
func (p *Printer) mark() string {
	if p.ASCII {
		return asciiEllipsis
	}
	return ellipsis
}

// inASCII are the characters of this program in ASCII.
var inASCII = strings.NewReplacer(
	"├─", "|-", "└─", "`-", "│", "|", "≥", ">=", ellipsis, asciiEllipsis, "→", "->", "–", "-",
)

// Shown is quoted text in the characters that the stream shows: what is not of this
// program is escaped.
func (p *Printer) Shown(quoted string) string {
	if !p.ASCII {
		return quoted
	}
	quoted = inASCII.Replace(quoted)
	var b strings.Builder
	for _, r := range quoted {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	return b.String()
}
