package main

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

const (
	gap      = "   "
	ellipsis = "…"
)

// column is a column of a table.
type column struct {
	title string
	// least is the width below which the column is not shortened; 0 if it
	// must not be shortened at all.
	least int
	// middle shortens in the middle: both ends of an image's name matter.
	middle bool
	// paint chooses the style of a cell.
	paint func(text string) style
}

// table lays out rows in columns.
type table struct {
	columns []column
	rows    [][]string
}

// add appends a row. Cells are quoted here, for only then is their width
// known.
func (t *table) add(cells ...string) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = quote(cell)
	}
	t.rows = append(t.rows, row)
}

// print writes the table, fitted to the printer's width.
func (t *table) print(p *printer) {
	limit := 0
	if p.fitted() {
		limit = p.width
	}
	widths := t.fit(limit)
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
	}
	p.write(t.row(p, titles, widths, true))
	for _, row := range t.rows {
		p.write(t.row(p, row, widths, false))
	}
}

// fit returns the widths of the columns. As long as the table is too wide, the
// widest column that may be shortened is.
func (t *table) fit(limit int) []int {
	widths := make([]int, len(t.columns))
	total := len(gap) * (len(t.columns) - 1)
	for i, c := range t.columns {
		widths[i] = runewidth.StringWidth(c.title)
		for _, row := range t.rows {
			widths[i] = max(widths[i], runewidth.StringWidth(row[i]))
		}
		total += widths[i]
	}
	for limit > 0 && total > limit {
		widest, next := -1, 0
		for i, c := range t.columns {
			switch {
			case c.least == 0 || widths[i] <= c.least:
			case widest < 0 || widths[i] > widths[widest]:
				if widest >= 0 {
					next = max(next, widths[widest])
				}
				widest = i
			default:
				next = max(next, widths[i])
			}
		}
		if widest < 0 {
			break
		}
		// Down to the next widest at once, then both in turn.
		cut := min(total-limit, max(1, widths[widest]-next), widths[widest]-t.columns[widest].least)
		widths[widest] -= cut
		total -= cut
	}
	return widths
}

func (t *table) row(p *printer, cells []string, widths []int, head bool) string {
	var b strings.Builder
	for i, cell := range cells {
		c := t.columns[i]
		text := shorten(cell, widths[i], c.middle)
		padding := strings.Repeat(" ", max(0, widths[i]-runewidth.StringWidth(text)))
		switch {
		case head:
			text = p.paint(bold, text)
		case c.paint != nil:
			text = p.paint(c.paint(cell), text)
		}
		b.WriteString(text)
		if i < len(cells)-1 {
			b.WriteString(padding + gap)
		}
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}

// shorten cuts text to a width and marks where.
func shorten(text string, width int, middle bool) string {
	full := runewidth.StringWidth(text)
	if full <= width {
		return text
	}
	if !middle || width < 3 {
		return runewidth.Truncate(text, width, ellipsis)
	}
	tail := (width - 1) / 2
	head := width - 1 - tail
	return runewidth.Truncate(text, head, "") + ellipsis + runewidth.TruncateLeft(text, full-tail, "")
}
