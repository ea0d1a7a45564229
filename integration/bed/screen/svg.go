package screen

import (
	"cmp"
	"fmt"
	"html"
	"image/color"
	"strings"

	uv "github.com/charmbracelet/ultraviolet"
)

// Sizes of a picture, in pixels: of a cell, and of the space around them.
const (
	cellWidth  = 8.4
	cellHeight = 18
	margin     = 12
)

// Colours that a program leaves to the terminal.
const (
	front = "#d6dae0"
	back  = "#16191f"
)

// bright are colours in place of those of old terminals that are too dark on back.
var bright = map[string]string{
	"#800000": "#ff7b72", "#008000": "#7ee787", "#808000": "#e3b341", "#000080": "#79c0ff", "#800080": "#d2a8ff", "#008080": "#76e3ea",
}

// SVG is a picture of what the screen shows, without the empty lines at its end.
func (s *Screen) SVG() string {
	width, height := s.screen.Width(), strings.Count(strings.TrimRight(s.Text(), "\n "), "\n")+1
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %d" width="%g" font-family="ui-monospace,SFMono-Regular,Menlo,'DejaVu Sans Mono',monospace" font-size="14" fill="%s" xml:space="preserve">`+"\n",
		float64(width)*cellWidth+2*margin, height*cellHeight+2*margin, float64(width)*cellWidth+2*margin, front)
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="6" fill="%s"/>`+"\n", back)
	for y := range height {
		for x := 0; x < width; {
			x += s.run(&b, x, y)
		}
	}
	return b.String() + "</svg>\n"
}

// run draws the cells from there on that have one style, and returns how many.
func (s *Screen) run(b *strings.Builder, x, y int) (n int) {
	style, text := s.cell(x, y)
	for n = 1; x+n < s.screen.Width(); n++ {
		next, more := s.cell(x+n, y)
		if !next.Equal(&style) {
			break
		}
		text += more
	}
	fg, bg := hex(style.Fg, front), hex(style.Bg, "")
	if style.Attrs&uv.AttrReverse != 0 {
		fg, bg = hex(style.Bg, back), hex(style.Fg, front)
	}
	left, top := float64(x)*cellWidth+margin, y*cellHeight+margin
	if bg != "" {
		fmt.Fprintf(b, `<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"/>`+"\n", left, top, float64(n)*cellWidth, cellHeight, bg)
	}
	// Each word at its place: fonts of readers have other widths.
	for at, word := range wordsOf(text) {
		fmt.Fprintf(b, `<text x="%.1f" y="%d" textLength="%.1f"`, left+float64(at)*cellWidth, top+cellHeight-5, float64(len([]rune(word)))*cellWidth)
		if fg != front {
			fmt.Fprintf(b, ` fill="%s"`, fg)
		}
		if style.Attrs&uv.AttrBold != 0 {
			b.WriteString(` font-weight="bold"`)
		}
		if style.Attrs&uv.AttrFaint != 0 {
			b.WriteString(` opacity="0.6"`)
		}
		b.WriteString(">" + html.EscapeString(word) + "</text>\n")
	}
	return n
}

// wordsOf yields the words of a line that are more than a space apart, each with its place.
func wordsOf(text string) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		runes := []rune(text)
		for from := 0; from < len(runes); {
			if runes[from] == ' ' {
				from++
				continue
			}
			to := from
			for to < len(runes) && (runes[to] != ' ' || to+1 < len(runes) && runes[to+1] != ' ') {
				to++
			}
			if !yield(from, string(runes[from:to])) {
				return
			}
			from = to
		}
	}
}

// cell is a cell's style and its text, a space where nothing is.
func (s *Screen) cell(x, y int) (uv.Style, string) {
	c := s.screen.CellAt(x, y)
	if c == nil {
		return uv.Style{}, " "
	}
	text := c.Content
	if text == "" && c.Width > 0 {
		text = " "
	}
	return c.Style, text
}

func hex(c color.Color, otherwise string) string {
	if c == nil {
		return otherwise
	}
	r, g, b, _ := c.RGBA()
	name := fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
	return cmp.Or(bright[name], name)
}
