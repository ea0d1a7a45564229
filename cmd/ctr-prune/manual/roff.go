package manual

import (
	"fmt"
	"strings"
	"time"
)

// Roff is the page for man, in section 1.
func (p Page) Roff(date time.Time) string {
	var b strings.Builder
	name := strings.ReplaceAll(p.Command, " ", "-")
	fmt.Fprintf(&b, ".TH %q \"1\" %q \"ctr-prune\" \"User Commands\"\n", strings.ToUpper(name), date.Format(time.DateOnly))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", plain(name), plain(p.Short))
	heading(&b, "SYNOPSIS")
	for i, usage := range p.Usage {
		if i > 0 {
			b.WriteString(".br\n")
		}
		b.WriteString(line(bold(p.Command) + plain(strings.TrimPrefix(usage, p.Command))))
	}
	heading(&b, "DESCRIPTION")
	about := p.Long
	if about == "" {
		about = p.Short + "."
	}
	paragraphs(&b, strings.Split(about, "\n\n"))
	p.options(&b)
	p.commands(&b)
	for _, s := range p.Sections {
		heading(&b, strings.ToUpper(s.Title))
		for _, e := range s.Entries {
			tagged(&b, bold(e.Name), e.Text)
		}
		if len(s.Entries) > 0 && len(s.Prose) > 0 {
			b.WriteString(".PP\n")
		}
		paragraphs(&b, s.Prose)
	}
	if p.Examples != "" {
		heading(&b, "EXAMPLES")
		b.WriteString(".nf\n")
		for _, example := range strings.Split(p.Examples, "\n") {
			b.WriteString(line(plain(strings.TrimPrefix(example, "  "))))
		}
		b.WriteString(".fi\n")
	}
	p.seeAlso(&b, name)
	return b.String()
}

func (p Page) options(b *strings.Builder) {
	if len(p.Groups) == 0 {
		return
	}
	heading(b, "OPTIONS")
	for _, g := range p.Groups {
		b.WriteString(".SS " + plain(g.Title) + "\n")
		for _, f := range g.Flags {
			tagged(b, f.roff(), f.Whole())
		}
	}
}

// roff is how a flag is typed, what is to be replaced in italics.
func (f Flag) roff() string {
	form := bold("--" + f.Name)
	switch {
	case f.Optional:
		form += "[=" + italic(f.Value) + "]"
	case f.Value != "":
		form += " " + italic(f.Value)
	}
	if f.Short != "" {
		return bold("-"+f.Short) + ", " + form
	}
	return form
}

func (p Page) commands(b *strings.Builder) {
	if len(p.Commands) == 0 {
		return
	}
	heading(b, "COMMANDS")
	for _, c := range p.Commands {
		tagged(b, bold(c.Name), c.Text)
	}
}

func (p Page) seeAlso(b *strings.Builder, name string) {
	var others []string
	if p.Parent != "" {
		others = append(others, strings.ReplaceAll(p.Parent, " ", "-"))
	}
	for _, c := range p.Commands {
		others = append(others, name+"-"+c.Name)
	}
	if len(others) == 0 {
		return
	}
	heading(b, "SEE ALSO")
	for i, other := range others {
		end := ",\n"
		if i == len(others)-1 {
			end = "\n"
		}
		b.WriteString(bold(other) + "(1)" + end)
	}
}

func heading(b *strings.Builder, title string) { b.WriteString(".SH " + plain(title) + "\n") }

func tagged(b *strings.Builder, tag, text string) {
	b.WriteString(".TP\n" + tag + "\n" + line(plain(text)))
}

// paragraphs follow a heading, which begins the first of them.
func paragraphs(b *strings.Builder, texts []string) {
	for i, text := range texts {
		if i > 0 {
			b.WriteString(".PP\n")
		}
		for l := range strings.SplitSeq(text, "\n") {
			b.WriteString(line(plain(l)))
		}
	}
}

func bold(s string) string   { return `\fB` + plain(s) + `\fR` }
func italic(s string) string { return `\fI` + plain(s) + `\fR` }

// plain escapes what roff would read as its own.
func plain(s string) string {
	return strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", `\&...`, "'", `\(aq`, "`", `\(ga`, "~", `\(ti`, "^", `\(ha`).Replace(s)
}

// line ends a line, which must not look like a request.
func line(s string) string {
	if strings.HasPrefix(s, ".") {
		s = `\&` + s
	}
	return s + "\n"
}
