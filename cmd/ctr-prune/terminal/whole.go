package terminal

import (
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
)

// fitsWhole says whether the last column is one of which nothing is cut, on a
// terminal that has no room for all of it.
func (t *Table) fitsWhole(limit int) bool {
	return limit > 0 && len(t.Columns) > 0 && t.Columns[len(t.Columns)-1].Whole
}

// printWhole writes the table with the last column folded, or below each row where
// there is no room beside the others.
func (t *Table) printWhole(p *Printer, limit int) {
	last := len(t.Columns) - 1
	if t.least() > limit {
		t.printBelow(p, last)
		return
	}
	widths := t.fit(limit)
	t.heads(p, widths)
	for _, row := range t.rows {
		cells := make([]string, len(row))
		copy(cells, row)
		for _, line := range fold(row[last], widths[last]) {
			cells[last] = line
			p.Write(t.row(p, cells, widths, false))
			clear(cells)
		}
	}
}

func (t *Table) printBelow(p *Printer, last int) {
	short := Table{Columns: t.Columns[:last]}
	for _, row := range t.rows {
		short.rows = append(short.rows, slices.Clone(row[:last]))
	}
	short.Narrow(p, t.Spare...)
	widths := short.fit(p.Width)
	short.heads(p, widths)
	for i, row := range short.rows {
		p.Write(short.row(p, row, widths, false))
		p.Wrapped("  "+t.rows[i][last], "  ")
	}
}

// heads writes the titles.
func (t *Table) heads(p *Printer, widths []int) {
	titles := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		titles[i] = c.Title
	}
	p.Write(t.row(p, titles, widths, true))
}

// fold breaks quoted text into lines, between words and, where one is longer than a
// line, within it.
func fold(text string, width int) (lines []string) {
	line := ""
	end := func() {
		if line != "" {
			lines, line = append(lines, line), ""
		}
	}
	for _, word := range strings.Fields(text) {
		if line != "" && runewidth.StringWidth(line)+1+runewidth.StringWidth(word) > width {
			end()
		}
		for runewidth.StringWidth(word) > width {
			part := beginningOf(word, max(width, 2))
			lines, word = append(lines, part), word[len(part):]
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	end()
	if len(lines) == 0 {
		lines = []string{""}
	}
	return lines
}

// beginningOf is as much of a word as fits, up to a sign between its parts if one is in
// the second half of that.
func beginningOf(word string, width int) string {
	part := runewidth.Truncate(word, width, "")
	if end := strings.LastIndexAny(part, "=/:@,.") + 1; end > len(part)/2 {
		return part[:end]
	}
	return part
}
