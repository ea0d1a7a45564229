package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/mattn/go-runewidth"
)

// colours are the escapes of paint, which take no room.
var colours = regexp.MustCompile("\x1b\\[[0-9;]*m")

// wrapped writes a line of quoted text that is broken between words to the
// width of the terminal, the following lines indented.
func (p *printer) wrapped(text, indent string) {
	if !p.fitted() {
		p.write(text + "\n")
		return
	}
	lead := text[:len(text)-len(strings.TrimLeft(text, " "))]
	line, width := lead, len(lead)
	empty := true
	for _, word := range strings.Split(text[len(lead):], " ") {
		w := runewidth.StringWidth(colours.ReplaceAllString(word, ""))
		if !empty && width+1+w > p.width {
			p.write(strings.TrimRight(line, " ") + "\n")
			line, width, empty = indent, len(indent), true
		}
		if !empty {
			line, width = line+" ", width+1
		}
		line, width, empty = line+word, width+w, false
	}
	p.write(strings.TrimRight(line, " ") + "\n")
}

// sentence writes a line that may be broken between words.
func (p *printer) sentence(format string, args ...any) {
	p.wrapped(quote(fmt.Sprintf(format, args...)), "  ")
}
