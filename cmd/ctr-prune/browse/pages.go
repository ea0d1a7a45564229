package browse

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// View is the screen: as many lines as it is high, each as wide as it is at most.
func (m *Model) View(now time.Time) []string {
	var lines []string
	switch m.page {
	case pageWait:
		lines = m.waiting(now)
	case pageTree, pageSearch:
		lines = m.treePage()
	default:
		lines = m.textPage()
	}
	for len(lines) < m.Height {
		lines = append(lines, "")
	}
	if m.ASCII { // what was shortened later
		for i := range lines {
			lines[i] = strings.ReplaceAll(lines[i], "…", "~")
		}
	}
	return lines[:max(0, m.Height)]
}

// treePage is the tree with what is above and below it.
func (m *Model) treePage() []string {
	m.follow()
	lines := []string{m.paint(bold, m.title())}
	if m.Height >= leastFoot {
		lines = append(lines, m.paint(dim, m.heading()))
	}
	room := m.listed()
	for i := m.top; i < m.top+room; i++ {
		if i >= len(m.rows) {
			lines = append(lines, "")
			continue
		}
		lines = append(lines, m.painted(m.rows[i]))
	}
	return append(lines, m.foot()...)
}

// listed is how many rows there is room for.
func (m *Model) listed() int {
	head := 1
	if m.Height >= leastFoot {
		head = 2
	}
	return max(1, m.Height-head-m.footHeight())
}

// follow scrolls so that the selected row is shown.
func (m *Model) follow() {
	room := m.listed()
	m.top = max(0, min(m.top, len(m.rows)-room))
	switch {
	case m.cursor < m.top:
		m.top = m.cursor
	case m.cursor >= m.top+room:
		m.top = m.cursor - room + 1
	}
}

// title is the first line.
func (m *Model) title() string {
	total := fmt.Sprintf("%s, %s reclaimable", terminal.SizeAtLeast(m.usage.Total.TotalBytes, m.usage.Total.AtLeast), terminal.Size(m.usage.Reclaimable.TotalBytes))
	room := m.Width - terminal.Width(total) - 2
	if room < leastTitle {
		return terminal.Cell(m.plain(total), m.Width, false)
	}
	return terminal.Cell(m.plain(m.Title), room, true) + "  " + m.plain(total)
}

// leastTitle is the room below which the store is not named.
const leastTitle = 12

// painted is a row with its colours.
func (m *Model) painted(n *node) string {
	text := m.row(n)
	switch {
	case n == m.selected():
		return m.paint(reversed, text)
	case m.mark(n) == "!":
		return m.paint(yellow, text)
	case m.mark(n) == "*" || m.mark(n) == "+":
		return m.paint(red, text)
	case n.kind == kindImage && !m.usage.Images[n.image].Unused:
		return m.paint(dim, text)
	}
	return text
}

// The styles, as SGR parameters.
const (
	bold     = "1"
	dim      = "2"
	reversed = "7"
	red      = "31"
	yellow   = "33"
)

func (m *Model) paint(style, text string) string {
	if !m.Colour {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

// plain is text that a terminal can show: nothing in it is a command to it.
func (m *Model) plain(text string) string {
	text = terminal.Quote(digests.ReplaceAllString(text, "$1"))
	if !m.ASCII {
		return text
	}
	text = strings.NewReplacer("…", "~", "≥", ">=", "—", "-", "–", "-", "“", "\"", "”", "\"").Replace(text)
	if strings.IndexFunc(text, func(r rune) bool { return r > '~' }) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if r > '~' {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// digests matches digests, of which the beginning is enough.
var digests = regexp.MustCompile(`\b(sha256:[0-9a-f]{12})[0-9a-f]{52}\b`)

// waiting says what is being done.
func (m *Model) waiting(now time.Time) []string {
	said := m.doing
	switch p := m.progress; {
	case p.Total > 0:
		said += fmt.Sprintf(", %d of %d", p.Done, p.Total)
	case p.Done > 0:
		said += fmt.Sprintf(", %d", p.Done)
	}
	if p := m.progress.Stage; p != "" && stages[p] != "" {
		said += ": " + stages[p]
	}
	said += fmt.Sprintf(" (%s)", now.Sub(m.since).Truncate(time.Second))
	lines := terminal.Wrap(m.plain(said), m.Width)
	switch {
	case m.stopping:
		lines = append(lines, terminal.Wrap("Stopping in order; Ctrl-C again leaves at once.", m.Width)...)
	default:
		lines = append(lines, terminal.Wrap("Ctrl-C stops in order.", m.Width)...)
	}
	return append([]string{m.paint(bold, terminal.Cell(m.plain(m.Title), m.Width, true))}, lines...)
}

// stages are what a run does, in words.
var stages = map[prune.Stage]string{
	prune.StageRead: "reading the store", prune.StageDelete: "removing names", prune.StageCollect: "collecting garbage",
	prune.StageMeasure: "measuring what was freed", "restoring": "restoring images",
}

// pageRoom is how many lines of a page are shown.
func (m *Model) pageRoom() int { return max(1, m.Height-1) }

// textPage is a page of text with its keys.
func (m *Model) textPage() []string {
	all := m.text(m.Width)
	room := m.pageRoom()
	m.scroll = max(0, min(m.scroll, len(all)-room))
	lines := make([]string, 0, m.Height)
	for _, line := range all[m.scroll:min(len(all), m.scroll+room)] {
		lines = append(lines, m.asciiLine(line))
	}
	for len(lines) < room {
		lines = append(lines, "")
	}
	if m.Height < 2 {
		return lines
	}
	return append(lines, m.paint(reversed, terminal.Cell(m.pageKeys(len(all) > room), m.Width, false)))
}

// asciiLine is a line that was laid out elsewhere.
func (m *Model) asciiLine(line string) string {
	if m.ASCII {
		return m.plain(line)
	}
	return line
}

func (m *Model) pageKeys(longer bool) string {
	var keys []string
	switch {
	case m.page != pageQuestion:
		keys = []string{"esc back"}
	case m.asked == Undo:
		keys = []string{"y restore", "n back"}
	case m.Always:
		keys = []string{"y remove", "n back"}
	default:
		keys = []string{"y remove", "n back", "g with undo"}
	}
	if longer {
		keys = append(keys, "down more")
	}
	if m.page == pageQuestion && m.asked == Plan && !m.Always {
		keys = append(keys, "(g: remove, and it can be undone for "+m.Grace+")")
	}
	return m.choice(keys...)
}

// help is the page of keys.
func (m *Model) help(width int) (lines []string) {
	for _, paragraph := range strings.Split(strings.TrimSpace(helpText), "\n") {
		key, said, found := strings.Cut(paragraph, "|")
		if !found {
			lines = append(lines, terminal.Wrap(paragraph, width)...)
			continue
		}
		for i, line := range terminal.Wrap(said, max(1, width-helpIndent)) {
			if i > 0 {
				key = ""
			}
			lines = append(lines, terminal.Cell(terminal.Cell(key, helpIndent, false)+line, width, false))
		}
	}
	return lines
}

// helpIndent is the room for keys.
const helpIndent = 13

const helpText = `
What removing images of this store would free, and what keeps the others. Nothing is removed before a plan was shown and answered with y.

up down|select a line (also k, j); pgup, pgdn, home, end
right left|open, close (also l, h)
space|mark an image or, on a folder, all images in it that may go
c|take all marks away
enter|show the plan for what is marked; y carries it out
u|show the last run that can be undone; y restores what it removed
s S|sort by another column; the other way around
/ n N|search in names, again, backwards
r|read the store again
q|quit

RECLAIMABLE|is what a line adds to what is freed when all that is unused goes. Lines add up; what is marked frees what the foot says.
UNIQUE|is what only it holds: what goes with all of it, were nothing in use.
SIZE|is all that it consists of, each layer once. UNIQUE of a folder is more than that of its images: it has the layers that only these share.
AGE USED|are those of the newest image in a folder.

*|marked, and goes
+|goes with what is marked: a signature, or another name of the image in k8s.io
!|marked, and stays, or one of its names does: the line at the foot says why
-|something in it is marked`
