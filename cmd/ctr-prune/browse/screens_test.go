package browse_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/browse"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text/texttest"
)

// sizes are those of the screens of golden files: narrow and short, usual, large.
var sizes = [][2]int{{40, 12}, {80, 24}, {160, 50}}

// screens are keys that lead to a screen.
var screens = map[string][]string{
	"tree":   nil,
	"marked": {"right", "down", "right", "right", "down", "space", "down", "space", "end", "space"},
	"parts":  {"/", "n", "g", "i", "n", "x", "enter", "right", "down"},
	"help":   {"?"},
	"search": {"/", "f", "r", "o"},
}

// The screens at three sizes. go test . -update writes them.
func TestScreens(t *testing.T) {
	for _, size := range sizes {
		for name, keys := range screens {
			m := model(small(), size[0], size[1])
			typed(m, keys...)
			texttest.Golden(t, fmt.Sprintf("%s-%dx%d.txt", name, size[0], size[1]), screen(m))
		}
	}
}

// Whatever the size, the screen has as many lines as the terminal, and none is wider.
func TestScreensFit(t *testing.T) {
	for width := 1; width < 170; width += 3 {
		for height := 1; height < 52; height++ {
			for name, keys := range screens {
				m := model(small(), width, height)
				m.ASCII = width%2 == 0
				typed(m, keys...)
				lines := m.View(noon)
				if len(lines) != height {
					t.Fatalf("%s at %dx%d has %d lines", name, width, height, len(lines))
				}
				for _, line := range lines {
					if w := runewidth.StringWidth(line); w > width {
						t.Fatalf("%s at %dx%d has a line of %d columns: %q", name, width, height, w, line)
					}
				}
			}
		}
	}
}

// Without UTF-8 nothing but ASCII is shown, and nothing from the store is a command to
// the terminal.
func TestScreensAreSafe(t *testing.T) {
	for _, ascii := range []bool{false, true} {
		for name, keys := range screens {
			m := model(small(), 120, 40)
			m.ASCII = ascii
			typed(m, "s") // the hostile name is in sight
			typed(m, keys...)
			for _, line := range m.View(noon) {
				if strings.ContainsAny(line, "\x1b\u202e") || ascii && strings.IndexFunc(line, func(r rune) bool { return r > '~' }) >= 0 {
					t.Errorf("%s, only ASCII %v: %q", name, ascii, line)
				}
			}
		}
	}
}

// Colours are styles of whole lines, and without them the selected line and the marks
// are still told.
func TestColours(t *testing.T) {
	m := model(small(), 80, 24)
	typed(m, "right", "space")
	plain := screen(m)
	if strings.Contains(plain, "\x1b") || !strings.Contains(plain, "\n>") {
		t.Errorf("without colours:\n%q", plain)
	}
	m.Colour = true
	if coloured := screen(m); !strings.Contains(coloured, "\x1b[7m>") {
		t.Errorf("with colours:\n%q", coloured)
	}
}

// A page that is longer than the screen scrolls as far as it goes.
func TestPagesScroll(t *testing.T) {
	m := model(small(), 40, 10)
	m.Asking(browse.Plan, func(int) []string { return strings.Split(strings.Repeat("line\n", 30)+"last", "\n") })
	shows(t, m, "down more")
	typed(m, "end")
	shows(t, m, "last")
	typed(m, "home", "pgdown", "pgup", "up")
	if strings.Contains(screen(m), "last") {
		t.Errorf("it did not scroll back:\n%s", screen(m))
	}
}

// On a narrow screen that has room for it, nothing is cut of what the marked images free
// together and who holds the rest, and the rows do not jump as the sentences grow.
func TestFootIsWholeOnANarrowScreen(t *testing.T) {
	m := model(small(), 40, 24)
	rows := strings.Count(screen(m), "\n")
	typed(m, screens["marked"]...)
	foot := strings.Join(strings.Fields(screen(m)[strings.Index(screen(m), "───"):]), " ")
	for _, want := range []string{"Marked 2: frees", "removes 3 names of 2 images", "Held: "} {
		if !strings.Contains(foot, want) {
			t.Errorf("no %q in %s", want, foot)
		}
	}
	if got := strings.Count(screen(m), "\n"); got != rows {
		t.Errorf("%d lines, %d before", got, rows)
	}
}
