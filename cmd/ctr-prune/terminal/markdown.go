package terminal

import (
	"fmt"
	"regexp"
	"strings"
)

// Words that mean nothing in Markdown, nor to what GitHub makes links of.
var plainWord = regexp.MustCompile(`^\(?[A-Za-z0-9%][A-Za-z0-9%'-]*(\.[0-9][A-Za-z0-9]*)?\)?[,;:.]?\)?$`)

// reference matches what GitHub may take for a commit or an issue.
var reference = regexp.MustCompile(`^([0-9a-f]{7,}|(?i:gh)-[0-9]+)[,;:.]?$`)

// Markdown returns a text for a line or a cell of a table in Markdown, in which
// nothing of it is markup, a link or a mention: words that could be are code.
func Markdown(text string) string {
	words := strings.Split(Quote(text), " ")
	for i, word := range words {
		if word != "" && (!plainWord.MatchString(word) || reference.MatchString(word)) {
			rest := strings.TrimRight(word, ",;:.")
			words[i] = code(rest) + word[len(rest):]
		}
	}
	return strings.Join(words, " ")
}

// code is a word as code. What would end code, or a cell, is written as an HTML
// entity; code spans know none, so that is an element.
func code(word string) string {
	if word == "" {
		return ""
	}
	if !strings.ContainsAny(word, "`|\\") {
		return "`" + word + "`"
	}
	var b strings.Builder
	b.WriteString("<code>")
	for _, r := range word {
		if r < 0x80 && strings.ContainsRune("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", r) {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteString("</code>")
	return b.String()
}

// The block of HTML in which Markdown shows text as it is.
const (
	openText  = "<pre>\n"
	closeText = "</pre>\n"
)

// inMarkup are the characters that mean something in such a block.
var inMarkup = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// InMarkdown returns what show writes as Markdown: tables as tables, and the rest as
// it is, in blocks.
func (p *Printer) InMarkdown(show func(*Printer)) (string, error) {
	var b strings.Builder
	out := p.Onto(&b)
	out.markdown, out.Width, out.Colour, out.ASCII = true, 0, false, false
	show(out)
	err := out.Flush()
	return emptyText.ReplaceAllString(openText+b.String()+closeText, ""), err
}

// emptyText are blocks without text, as between two tables.
var emptyText = regexp.MustCompile(`<pre>\n\s*</pre>\n`)

// printMarkdown writes the table between two blocks of text.
func (t *Table) printMarkdown(p *Printer) {
	line := func(cells []string) { p.raw("| " + strings.Join(cells, " | ") + " |\n") }
	var titles, rules []string
	for _, c := range t.Columns {
		titles = append(titles, Markdown(c.Title))
		rule := "---"
		if c.Right {
			rule = "--:"
		}
		rules = append(rules, rule)
	}
	p.raw(closeText + "\n")
	line(titles)
	line(rules)
	for _, row := range t.rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = Markdown(cell)
		}
		line(cells)
	}
	p.raw("\n" + openText)
}

// CutMarkdown returns so many bytes of what [Printer.InMarkdown] returned at most, in
// whole lines, and whether any are missing.
func CutMarkdown(text string, most int) (string, bool) {
	if len(text) <= most {
		return text, false
	}
	text = text[:most]
	text = text[:strings.LastIndexByte(text, '\n')+1]
	if strings.Count(text, openText) > strings.Count(text, closeText) {
		text += closeText
	}
	return text, true
}
