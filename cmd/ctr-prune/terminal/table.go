package terminal

import (
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
)

const gap = "   "

// Widths below which columns of names and of sentences are not shortened, so
// that a cell remains meaningful.
const (
	LeastName = 20
	LeastText = 14
)

// Column is a column of a table.
type Column struct {
	Title string
	// Least is the width below which the column is not shortened; 0 if it
	// must not be shortened at all.
	Least int
	// Middle shortens in the middle: both ends of an image's name matter.
	Middle bool
	// Right puts cells at the right: numbers are compared by their length.
	Right bool
	// Whole cuts nothing of the last column: it is folded, or shown below its row.
	Whole bool
	// Paint chooses the style of a cell.
	Paint func(text string) Style
}

// Table lays out rows in columns.
type Table struct {
	Columns []Column
	// Spare are the columns that are left out, the first named one first, if the rest
	// does not fit although the last column, shown whole, is below its row.
	Spare []string
	rows  [][]string
}

// Empty says whether the table has no rows.
func (t *Table) Empty() bool { return len(t.rows) == 0 }

// Add appends a row. Cells are quoted here, because only then is their width
// known.
func (t *Table) Add(cells ...string) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		row[i] = Quote(cell)
	}
	t.rows = append(t.rows, row)
}

// Print writes the table, fitted to the printer's width.
func (t *Table) Print(p *Printer) {
	if p.markdown {
		t.printMarkdown(p)
		return
	}
	limit := 0
	if p.Fitted() {
		limit = p.Width
	}
	for _, row := range t.rows {
		for i := range row {
			row[i] = p.Shown(p.Times(row[i]))
		}
	}
	if t.fitsWhole(limit) {
		t.printWhole(p, limit)
		return
	}
	widths := t.fit(limit)
	t.heads(p, widths)
	for _, row := range t.rows {
		p.Write(t.row(p, row, widths, false))
	}
}

// fit returns the widths of the columns. As long as the table is too wide, the
// widest column that may be shortened is: first while a cell remains meaningful, and if
// that is not enough, further, because a terminal breaks a line that is too long.
func (t *Table) fit(limit int) []int {
	widths := make([]int, len(t.Columns))
	total := len(gap) * (len(t.Columns) - 1)
	for i := range t.Columns {
		widths[i] = t.full(i)
		total += widths[i]
	}
	if limit > 0 {
		total = t.shrink(widths, total, limit, Column.floor)
		t.shrink(widths, total, limit, Column.head)
	}
	return widths
}

// shrink makes columns narrower, none below its floor, until they fit or cannot be
// any narrower. It returns what they take then.
func (t *Table) shrink(widths []int, total, limit int, floor func(Column) int) int {
	for total > limit {
		widest, next := -1, 0
		for i, c := range t.Columns {
			switch {
			case c.Least == 0 || widths[i] <= floor(c):
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
		// First down to the width of the next widest, then both in turn.
		cut := min(total-limit, max(1, widths[widest]-next), widths[widest]-floor(t.Columns[widest]))
		widths[widest] -= cut
		total -= cut
	}
	return total
}

func (t *Table) row(p *Printer, cells []string, widths []int, head bool) string {
	var b strings.Builder
	for i, cell := range cells {
		c := t.Columns[i]
		text := shorten(cell, widths[i], c.Middle, p.mark())
		padding := strings.Repeat(" ", max(0, widths[i]-runewidth.StringWidth(text)))
		switch {
		case head:
			text = p.Paint(Bold, text)
		case c.Paint != nil:
			text = p.Paint(c.Paint(cell), text)
		}
		if c.Right {
			text, padding = padding+text, ""
		}
		b.WriteString(text)
		if i < len(cells)-1 {
			b.WriteString(padding + gap)
		}
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}

// Narrow leaves columns out, the first named one first, until the table fits.
func (t *Table) Narrow(p *Printer, titles ...string) {
	for _, title := range titles {
		if !p.Fitted() || t.least() <= p.Width {
			return
		}
		t.Leave(title)
	}
}

// Leave leaves a column out.
func (t *Table) Leave(title string) {
	i := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Title == title })
	if i < 0 {
		return
	}
	t.Columns = slices.Delete(slices.Clone(t.Columns), i, i+1)
	for r := range t.rows {
		t.rows[r] = slices.Delete(t.rows[r], i, i+1)
	}
}

// least is the width below which the table cannot be shortened.
func (t *Table) least() int {
	total := len(gap) * (len(t.Columns) - 1)
	for i, c := range t.Columns {
		width := t.full(i)
		if c.Least > 0 {
			width = min(width, c.floor())
		}
		total += width
	}
	return total
}

// full is the width in which nothing of a column is shortened.
func (t *Table) full(column int) int {
	width := runewidth.StringWidth(t.Columns[column].Title)
	for _, row := range t.rows {
		width = max(width, runewidth.StringWidth(row[column]))
	}
	return width
}

// floor is the width below which the column is not shortened if others can be left out.
func (c Column) floor() int { return max(c.Least, c.head()) }

// head is the width of its title, which is never shortened.
func (c Column) head() int { return runewidth.StringWidth(c.Title) }

// shorten cuts text to a width and marks the place.
func shorten(text string, width int, middle bool, mark string) string {
	full := runewidth.StringWidth(text)
	if full <= width {
		return text
	}
	if !middle || width < 5 {
		return runewidth.Truncate(text, width, mark)
	}
	rest := width - runewidth.StringWidth(mark)
	tail := rest / 2
	return runewidth.Truncate(text, rest-tail, "") + mark + runewidth.TruncateLeft(text, full-tail, "")
}
