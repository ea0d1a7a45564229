package manual

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// Width is how wide the help is.
const Width = 80

const (
	// column is where explanations begin, and widest what stands before them on the same line.
	column = 26
	widest = column - 3
	margin = "  "
)

// mostExamples is how many examples the short help has.
const mostExamples = 3

// Screen is the help of a command, short or whole.
func (p Page) Screen(whole bool) string {
	var b strings.Builder
	about := p.Long
	if about == "" {
		about = p.Short
	}
	b.WriteString(prose(about, whole) + "\n\nUsage:\n" + margin + strings.Join(p.Usage, "\n"+margin) + "\n")
	if p.Examples != "" {
		examples := p.Examples
		if blocks := strings.Split(examples, "\n\n"); !whole && len(blocks) > mostExamples {
			examples = strings.Join(blocks[:mostExamples], "\n\n")
		}
		b.WriteString("\nExamples:\n" + examples + "\n")
	}
	hidden := p.groups(&b, whole)
	entries(&b, "Commands", p.Commands)
	for _, s := range p.Sections {
		switch {
		case s.Man:
		case whole || s.Brief:
			s.screen(&b)
		default:
			hidden = true
		}
	}
	if hidden {
		b.WriteString("\nAll flags, filters and exit codes: " + allOf(p.Command) + "\n")
	}
	return b.String()
}

// allOf is what shows the whole help of a command.
func allOf(command string) string {
	program, rest, _ := strings.Cut(command, " ")
	return strings.TrimSpace(program + " help --all " + rest)
}

// prose is a text, or its first two paragraphs.
func prose(text string, whole bool) string {
	paragraphs := strings.Split(text, "\n\n")
	if !whole {
		paragraphs = paragraphs[:min(2, len(paragraphs))]
	}
	for i, paragraph := range paragraphs {
		paragraphs[i] = strings.Join(Wrap(paragraph, Width), "\n")
	}
	return strings.Join(paragraphs, "\n\n")
}

// groups writes the flags, and says whether some were left out.
func (p Page) groups(b *strings.Builder, whole bool) (hidden bool) {
	for _, g := range p.Groups {
		var rows []Entry
		for _, f := range g.Flags {
			text := f.Whole()
			if !whole {
				text = f.Brief()
			}
			if f.Rare && !whole {
				hidden = true
				continue
			}
			hidden = hidden || text != f.Whole()
			form := f.Form()
			if f.Short == "" {
				form = "    " + form
			}
			rows = append(rows, Entry{form, text})
		}
		entries(b, g.Title, rows)
	}
	return hidden
}

func (s Section) screen(b *strings.Builder) {
	entries(b, s.Title, s.Entries)
	if len(s.Entries) == 0 && len(s.Prose) > 0 {
		b.WriteString("\n" + s.Title + ":\n")
	}
	for i, paragraph := range s.Prose {
		if i > 0 || len(s.Entries) > 0 {
			b.WriteString("\n")
		}
		b.WriteString(margin + strings.Join(Wrap(paragraph, Width-len(margin)), "\n"+margin) + "\n")
	}
}

// entries writes names with their explanations beside them, or below where a name is
// too long for that.
func entries(b *strings.Builder, title string, rows []Entry) {
	if len(rows) == 0 {
		return
	}
	b.WriteString("\n" + title + ":\n")
	for _, row := range rows {
		lines := Wrap(row.Text, Width-column)
		name, width := margin+row.Name, runewidth.StringWidth(margin+row.Name)
		if width > widest+1 {
			b.WriteString(name + "\n")
			name, width = "", 0
		}
		for _, line := range lines {
			b.WriteString(name + strings.Repeat(" ", column-width) + line + "\n")
			name, width = "", 0
		}
	}
}

// Wrap breaks a text between words.
func Wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case runewidth.StringWidth(line)+1+runewidth.StringWidth(word) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}
