package terminal

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// Cell is quoted text that takes just so many columns: shortened if it is longer, in
// the middle if both ends matter, and filled with spaces if it is shorter.
func Cell(text string, width int, middle bool) string {
	if width <= 0 {
		return ""
	}
	text = shorten(text, width, middle, ellipsis)
	return text + strings.Repeat(" ", max(0, width-runewidth.StringWidth(text)))
}

// Right is quoted text at the right of so many columns.
func Right(text string, width int) string {
	return strings.Repeat(" ", max(0, width-runewidth.StringWidth(text))) + text
}

// Wrap breaks quoted text between words into lines of at most so many columns; a word
// that is longer is shortened.
func Wrap(text string, width int) (lines []string) {
	line := ""
	for _, word := range strings.Fields(text) {
		word = shorten(word, width, true, ellipsis)
		switch {
		case line == "":
			line = word
		case runewidth.StringWidth(line)+1+runewidth.StringWidth(word) <= width:
			line += " " + word
		default:
			lines, line = append(lines, line), word
		}
	}
	return append(lines, line)
}

// Width is how many columns quoted text takes.
func Width(text string) int { return runewidth.StringWidth(text) }
