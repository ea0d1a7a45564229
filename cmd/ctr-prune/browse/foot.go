package browse

import (
	"fmt"
	"strings"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Heights of the screen from which there is room for more.
const (
	leastFoot = 6  // for what is marked
	leastKeys = 9  // for what is selected, held, and the keys
	leastRule = 18 // for lines between
)

// foot are the lines below the rows.
func (m *Model) foot() []string {
	switch {
	case m.Height < leastFoot:
		return nil
	case m.Height < leastKeys:
		return []string{terminal.Cell(m.marking(), m.Width, false)}
	}
	var lines []string
	if m.Height >= leastRule {
		lines = append(lines, m.rule())
	}
	for _, text := range []string{m.about(), m.marking(), m.holding()} {
		lines = append(lines, m.folded(text)...)
	}
	return append(lines, terminal.Cell(m.keys(), m.Width, false))
}

// footHeight is how many lines the foot has, whatever it says: rows must not jump.
func (m *Model) footHeight() int {
	switch {
	case m.Height >= leastRule:
		return 1 + 3*m.depth() + 1
	case m.Height >= leastKeys:
		return 3*m.depth() + 1
	case m.Height >= leastFoot:
		return 1
	}
	return 0
}

// depth is how many lines each sentence of the foot has: on a narrow screen one of
// which the end is not seen says little.
func (m *Model) depth() int {
	if m.Width < medium && m.Height >= leastRule {
		return 2
	}
	return 1
}

// folded is a sentence of the foot in as many lines as there are for it.
func (m *Model) folded(text string) []string {
	depth := m.depth()
	lines := []string{text}
	if depth > 1 {
		lines = terminal.Wrap(text, m.Width)
	}
	if len(lines) > depth {
		lines = append(lines[:depth-1:depth-1], strings.Join(lines[depth-1:], " "))
	}
	for len(lines) < depth {
		lines = append(lines, "")
	}
	for i := range lines {
		lines[i] = terminal.Cell(lines[i], m.Width, false)
	}
	return lines
}

func (m *Model) rule() string {
	if m.ASCII {
		return strings.Repeat("-", m.Width)
	}
	return strings.Repeat("─", m.Width)
}

// about is what the selected line is, or a sentence about the last key.
func (m *Model) about() string {
	n := m.selected()
	switch {
	case m.page == pageSearch:
		return m.plain("/" + m.typed + "_")
	case m.note != "":
		return m.plain(m.note)
	case n == nil:
		return "There are no images."
	}
	if n.kind == kindPart {
		return m.plain(m.label(n) + ": " + m.reason(n))
	}
	if n.kind != kindImage {
		return m.plain(strings.ReplaceAll(n.path(), "\x00", "/") + ": " + m.reason(n))
	}
	image := &m.usage.Images[n.image]
	why := m.plain(m.reason(n))
	names := bestName(image.Names)
	if more := len(image.Names) - 1; more > 0 {
		names += fmt.Sprintf(" (+%d)", more)
	}
	// Why it stays matters more than the whole name, which the rows show as well.
	room := max(m.Width/3, m.depth()*m.Width-terminal.Width(why)-2)
	return strings.TrimRight(terminal.Cell(m.plain(names), min(room, terminal.Width(m.plain(names))), true), " ") + ": " + why
}

// marking is what is marked, and what that frees.
func (m *Model) marking() string {
	if len(m.marks) == 0 {
		return m.plain(fmt.Sprintf("Nothing is marked; removing all that is unused frees %s.", terminal.Size(m.usage.Reclaimable.TotalBytes)))
	}
	said := fmt.Sprintf("Marked %d: frees %s", len(m.marks), amount(m.picked.Frees, m.Width >= medium))
	said += fmt.Sprintf(", removes %s of %s", terminal.Count(m.picked.Records, "name"), terminal.Count(len(m.picked.Goes), "image"))
	return m.plain(said)
}

// amount is a size with its parts, if there is room for these.
func amount(a prune.Amount, parts bool) string {
	total := terminal.SizeAtLeast(a.TotalBytes, a.AtLeast)
	if !parts || a.TotalBytes == 0 {
		return total
	}
	return fmt.Sprintf("%s (content %s, snapshots %s)", total, terminal.Size(a.ContentBytes), terminal.SizeAtLeast(a.SnapshotBytes, a.AtLeast))
}

// holding is what of the marked images is not freed, and who holds it.
func (m *Model) holding() string {
	var said []string
	if n := len(m.picked.Stays); n > 0 {
		s := m.picked.Stays[0]
		first := fmt.Sprintf("Stays: %s, %s", bestName(m.usage.Images[s.Image].Names), s.Reason)
		if n > 1 {
			first += fmt.Sprintf(" (and %d more)", n-1)
		}
		said = append(said, first)
	}
	if held := m.picked.Held; len(held) > 0 && len(m.picked.Goes) > 0 {
		text := fmt.Sprintf("Held: %s by %s", terminal.SizeAtLeast(held[0].TotalBytes, held[0].AtLeast), held[0].Holder)
		if more := len(held) - 1; more > 0 {
			var rest prune.Amount
			for _, h := range held[1:] {
				rest.Add(h.Amount)
			}
			text += fmt.Sprintf(", %s by %d more", terminal.SizeAtLeast(rest.TotalBytes, rest.AtLeast), more)
		}
		said = append(said, text)
	}
	return m.plain(strings.Join(said, ". "))
}

// keys are the keys that matter most, as many as there is room for.
func (m *Model) keys() string {
	if m.page == pageSearch {
		return m.choice("enter find", "esc back")
	}
	return m.choice("space mark", "enter plan", "? help", "q quit", "/ search", "s sort", "u undo", "c clear marks", "r read again")
}

// choice lists keys as far as there is room.
func (m *Model) choice(keys ...string) string {
	line := ""
	for _, key := range keys {
		next := line + key
		if line != "" {
			next = line + "  " + key
		}
		if terminal.Width(next) > m.Width {
			break
		}
		line = next
	}
	return line
}
