package main

// Output rules
//
// Results go to stdout. The question, the progress, errors and logs go to
// stderr, so that a pipe gets results only.
//
// What a store holds was written by strangers: names, labels, lease IDs, and
// the errors that repeat them. None of it reaches a stream but through quote,
// which turns everything that does not print (control characters, escape
// sequences, characters that change the direction of writing, bytes that are
// not UTF-8) into visible escapes such as \x1b and \u202e. It is called where
// text becomes output: in printer.line for sentences, in table.add for cells,
// by templates for every value, and encodeJSON does the same with JSON's own
// escapes. Nothing is quoted earlier, so that data stays exact until then.
//
// On a terminal a table is fitted to its width; elsewhere nothing is cut.
// Colour is used on a terminal only, never with NO_COLOR, and never carries
// what the text does not say.

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// quote returns s with everything that does not print escaped.
func quote(s string) string {
	clean := func(r rune) bool { return r != utf8.RuneError && strconv.IsPrint(r) }
	if strings.IndexFunc(s, func(r rune) bool { return !clean(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case clean(r):
			b.WriteString(s[i : i+size])
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
		i += size
	}
	return b.String()
}

// longestName is how much of a name a line of a terminal shows: more than any
// reference that a client accepts has.
const longestName = 300

// name returns the name of a record as it is shown: quoted if one could not
// see where it begins and ends, and on a terminal cut if it would fill it.
func (p *printer) name(s string) string {
	if s == "" || strings.TrimSpace(s) != s {
		s = strconv.Quote(s)
	}
	if p.fitted() {
		return shorten(quote(s), longestName, true)
	}
	return s
}

// digests are those that a sentence may hold.
var digests = regexp.MustCompile(`\b(sha256:[0-9a-f]{12})[0-9a-f]{52}\b`)

// prose returns a sentence as it is shown: on a terminal with short digests.
func (p *printer) prose(s string) string {
	if p.fitted() {
		return digests.ReplaceAllString(s, "$1"+ellipsis)
	}
	return s
}

// fitted says whether text is shortened to suit the reader.
func (p *printer) fitted() bool { return p.width > 0 && !p.whole }

// printer writes text to one stream. Errors stick until flush tells them.
type printer struct {
	w *bufio.Writer
	// width is that of the terminal, 0 if lines may have any length.
	width int
	// whole forbids to shorten anything.
	whole  bool
	colour bool
}

// printer returns the printer for a stream.
func (p process) printer(stream io.Writer) *printer {
	width, terminal := p.columns(stream)
	return &printer{
		w: bufio.NewWriter(stream), width: width,
		colour: terminal && p.getenv("NO_COLOR") == "" && p.getenv("TERM") != "dumb",
	}
}

// onto returns the printer for another stream that the same reader sees.
func (p *printer) onto(w io.Writer) *printer {
	other := *p
	other.w = bufio.NewWriter(w)
	return &other
}

// line writes one line of text.
func (p *printer) line(format string, args ...any) {
	p.write(quote(fmt.Sprintf(format, args...)) + "\n")
}

// write writes what is quoted already. The error sticks.
func (p *printer) write(s string) { _, _ = p.w.WriteString(s) }

func (p *printer) flush() error {
	if err := p.w.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// style is how a text is set off on a terminal, as an SGR parameter.
type style string

const (
	plain  style = ""
	bold   style = "1"
	red    style = "31"
	yellow style = "33"
)

// paint sets text off if this stream shows colours.
func (p *printer) paint(s style, text string) string {
	if !p.colour || s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}
