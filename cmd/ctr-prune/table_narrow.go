package main

import (
	"slices"

	"github.com/mattn/go-runewidth"
)

// narrow leaves columns out, the first named one first, until the table fits.
func (t *table) narrow(p *printer, titles ...string) {
	for _, title := range titles {
		if !p.fitted() || t.least() <= p.width {
			return
		}
		i := slices.IndexFunc(t.columns, func(c column) bool { return c.title == title })
		if i < 0 {
			continue
		}
		t.columns = slices.Delete(slices.Clone(t.columns), i, i+1)
		for r := range t.rows {
			t.rows[r] = slices.Delete(t.rows[r], i, i+1)
		}
	}
}

// least is the width below which the table cannot be shortened.
func (t *table) least() int {
	total := len(gap) * (len(t.columns) - 1)
	for i, c := range t.columns {
		width := runewidth.StringWidth(c.title)
		for _, row := range t.rows {
			width = max(width, runewidth.StringWidth(row[i]))
		}
		if c.least > 0 {
			width = min(width, c.least)
		}
		total += width
	}
	return total
}
