package terminal

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
)

// Printer writes text to one stream. Flush returns the first error.
type Printer struct {
	w *bufio.Writer
	// Width is the width of the terminal, or 0 if lines may have any length.
	Width int
	// Whole means that nothing is shortened.
	Whole bool
	// Colour allows colours.
	Colour bool
	// ASCII means that the stream shows no other characters.
	ASCII bool
	// Zone is the time zone in which times are shown; UTC if nil.
	Zone *time.Location
	// markdown is set by [Printer.InMarkdown].
	markdown bool
}

// New returns a printer that neither cuts nor colours anything.
func New(stream io.Writer) *Printer { return &Printer{w: bufio.NewWriter(stream)} }

// Onto returns a printer with the same settings for another stream.
func (p *Printer) Onto(w io.Writer) *Printer {
	other := *p
	other.w = bufio.NewWriter(w)
	return &other
}

// Fitted reports whether text is shortened to fit the terminal.
func (p *Printer) Fitted() bool { return p.Width > 0 && !p.Whole }

// Line writes one line of text.
func (p *Printer) Line(format string, args ...any) {
	p.Write(p.Times(Quote(fmt.Sprintf(format, args...))) + "\n")
}

// Sentence writes a line that may be broken between words.
func (p *Printer) Sentence(format string, args ...any) {
	p.Wrapped(Quote(fmt.Sprintf(format, args...)), "  ")
}

// Write writes text that is already quoted.
func (p *Printer) Write(quoted string) {
	quoted = p.Shown(quoted)
	if p.markdown {
		quoted = inMarkup.Replace(quoted)
	}
	p.raw(quoted)
}

func (p *Printer) raw(text string) { _, _ = p.w.WriteString(text) } // bufio keeps the error

// Time is a time as people read it, the same everywhere: RFC 3339 with the offset of
// the zone.
func (p *Printer) Time(t time.Time) string {
	zone := p.Zone
	if zone == nil {
		zone = time.UTC
	}
	return t.In(zone).Format(time.RFC3339)
}

// utc matches the times of a sentence of the library, which knows no zone. A name is
// in quotation marks, or goes on.
var utc = regexp.MustCompile(`(^|[ (])(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)($|[ ),;.:])`)

// Times returns a sentence with its times as [Printer.Time] has them.
func (p *Printer) Times(sentence string) string {
	return utc.ReplaceAllStringFunc(sentence, func(found string) string {
		parts := utc.FindStringSubmatch(found)
		at, err := time.Parse(time.RFC3339, parts[2])
		if err != nil {
			return found
		}
		return parts[1] + p.Time(at) + parts[3]
	})
}

// Flush writes the buffered text to the stream.
func (p *Printer) Flush() error {
	if err := p.w.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}

// colours matches the escapes of Paint, which have no width.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Wrapped writes a line of quoted text that is broken between words to the
// width of the terminal, the following lines indented.
func (p *Printer) Wrapped(quoted, indent string) {
	quoted = p.Times(quoted)
	if !p.Fitted() {
		p.Write(quoted + "\n")
		return
	}
	lead := quoted[:len(quoted)-len(strings.TrimLeft(quoted, " "))]
	line, width := lead, len(lead)
	empty := true
	for _, word := range strings.Split(quoted[len(lead):], " ") {
		w := runewidth.StringWidth(colours.ReplaceAllString(word, ""))
		if !empty && width+1+w > p.Width {
			p.Write(strings.TrimRight(line, " ") + "\n")
			line, width, empty = indent, len(indent), true
		}
		if !empty {
			line, width = line+" ", width+1
		}
		line, width, empty = line+word, width+w, false
	}
	p.Write(strings.TrimRight(line, " ") + "\n")
}

// longestName is how much of a name a line of a terminal shows: more than any
// reference that a client accepts has.
const longestName = 300

// Name returns the name of a record in the form in which it is shown: in
// quotation marks if its beginning and end would not be visible otherwise, and
// shortened on a terminal if it is very long. Unprintable characters are not
// escaped yet.
func (p *Printer) Name(s string) string {
	s = Visible(s)
	if p.Fitted() {
		return shorten(Quote(s), longestName, true, p.mark())
	}
	return s
}

// Visible puts a name in quotation marks whose beginning and end would not be seen.
func Visible(s string) string {
	if s == "" || strings.TrimSpace(s) != s {
		return strconv.Quote(s)
	}
	return s
}

// digests matches digests in a sentence.
var digests = regexp.MustCompile(`\b(sha256:[0-9a-f]{12})[0-9a-f]{52}\b`)

// Prose returns a sentence in the form in which it is shown: on a terminal with
// short digests.
func (p *Printer) Prose(s string) string {
	if p.Fitted() {
		return digests.ReplaceAllString(s, "$1"+p.mark())
	}
	return s
}

// Style is a colour or other style on a terminal, as an SGR parameter.
type Style string

// The styles in use.
const (
	Plain  Style = ""
	Bold   Style = "1"
	Red    Style = "31"
	Yellow Style = "33"
)

// Paint applies a style if this stream shows colours.
func (p *Printer) Paint(s Style, text string) string {
	if !p.Colour || s == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}
