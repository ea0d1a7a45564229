package browse

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Widths of the screen from which there is room for more columns.
const (
	medium = 60
	wide   = 120
)

// width is that of a column of sizes or ages.
func (o order) width() int { return max(leastNumber, len(titles[o])+1) }

// leastNumber has room for a size that is a lower bound.
const leastNumber = 8

// columns are those for a width, but for the name. The one that is sorted by is always
// among them.
func (m *Model) columns() []order {
	switch {
	case m.Width >= wide:
		return []order{byReclaimable, byUnique, bySize, byAge, byUse}
	case m.Width >= medium:
		if m.order == byUse || m.order == byAge {
			return []order{byReclaimable, bySize, m.order}
		}
		return []order{byReclaimable, byUnique, bySize}
	case m.order == byName:
		return []order{byReclaimable}
	default:
		return []order{m.order}
	}
}

// cell is what a line has in a column.
func (m *Model) cell(n *node, by order) string {
	if n.kind == kindPart && by != bySize {
		return ""
	}
	switch by {
	case byReclaimable:
		return terminal.Size(n.sum.ReclaimableBytes)
	case byUnique:
		return terminal.Size(n.sum.UniqueBytes)
	case bySize:
		return terminal.SizeAtLeast(n.sum.TotalBytes, n.sum.AtLeast || n.sum.Bound)
	case byAge:
		return age(m.usage.Time, n.created)
	default:
		return m.used(n.used)
	}
}

// age is how long ago something was, without the word.
func age(now, at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return strings.TrimSuffix(terminal.Ago(now, at), " ago")
}

func (m *Model) used(at time.Time) string {
	if !at.IsZero() && !at.Before(m.usage.Time) {
		return "now"
	}
	return age(m.usage.Time, at)
}

// heading is the line above the rows.
func (m *Model) heading() string {
	var b strings.Builder
	b.WriteString("    ")
	for _, by := range m.columns() {
		b.WriteString(terminal.Right(m.titled(by), by.width()) + "  ")
	}
	b.WriteString(m.titled(byName))
	if reason := m.reasonWidth(); reason > 0 {
		return terminal.Cell(b.String(), m.Width-reason, false) + terminal.Cell("WHY IT STAYS OR GOES", reason, false)
	}
	return terminal.Cell(b.String(), m.Width, false)
}

// titled is a title, with a sign if it is sorted by.
func (m *Model) titled(by order) string {
	switch {
	case by != m.order:
		return titles[by]
	case m.reverse:
		return titles[by] + "^"
	default:
		return titles[by] + "v"
	}
}

// reasonWidth is that of the column of reasons, 0 if there is none.
func (m *Model) reasonWidth() int {
	if m.Width < wide {
		return 0
	}
	return m.Width / 4
}

// row is the text of a line.
func (m *Model) row(n *node) string {
	var b strings.Builder
	pointer := " "
	if n == m.selected() {
		pointer = ">"
	}
	b.WriteString(pointer + m.mark(n) + "  ")
	for _, by := range m.columns() {
		b.WriteString(terminal.Right(m.cell(n, by), by.width()) + "  ")
	}
	b.WriteString(strings.Repeat("  ", n.depth()) + m.fork(n))
	reason := m.reasonWidth()
	room := m.Width - reason - terminal.Width(b.String())
	b.WriteString(terminal.Cell(m.plain(m.label(n)), room-min(1, reason), true))
	if reason > 0 {
		b.WriteString(" " + terminal.Cell(m.plain(m.reason(n)), reason, false))
	}
	return terminal.Cell(b.String(), m.Width, false)
}

// mark is the sign before a line.
//
//   - marked, and goes     +  goes with what is marked
//     !  marked, and stays    -  some of what is below goes
func (m *Model) mark(n *node) string {
	switch {
	case n.kind == kindPart:
		return " "
	case n.kind == kindImage && m.stays[n.image] != "":
		return "!"
	case n.kind == kindImage && m.goes[n.image] && m.marks[n.image]:
		return "*"
	case n.kind == kindImage && m.goes[n.image]:
		return "+"
	case n.kind == kindImage || n.going == 0 && n.marked == 0:
		return " "
	case n.going == n.images:
		return "*"
	default:
		return "-"
	}
}

// fork is the sign before a name: whether the line is open.
func (m *Model) fork(n *node) string {
	switch {
	case n.kind == kindPart:
		return "  "
	case n.open && m.ASCII:
		return "- "
	case m.ASCII:
		return "+ "
	case n.open:
		return "▾ "
	default:
		return "▸ "
	}
}

// label is the name of a line.
func (m *Model) label(n *node) string {
	switch n.kind {
	case kindImage:
		label := shortDigest(n.label)
		if more := len(m.usage.Images[n.image].Names) - 1; more > 0 {
			label += fmt.Sprintf(" (+%d)", more)
		}
		return label
	case kindPart:
		return n.label
	default:
		return n.label + "/"
	}
}

// shortDigest shortens a digest, as docker does.
func shortDigest(name string) string {
	at := strings.Index(name, "sha256:")
	const prefix, shown = len("sha256:"), 12
	if at < 0 || len(name) <= at+prefix+shown {
		return name
	}
	return name[:at+prefix+shown]
}

// reason is why a line stays or goes.
func (m *Model) reason(n *node) string {
	switch n.kind {
	case kindImage:
		if why := m.stays[n.image]; why != "" {
			return why
		}
		return m.usage.Images[n.image].Reason
	case kindPart:
		return partHolder(n.part)
	default:
		said := terminal.Count(n.images, "image")
		switch kept := n.images - n.unused; kept {
		case 0:
		case 1:
			said += ", 1 stays"
		default:
			said += fmt.Sprintf(", %d stay", kept)
		}
		return said
	}
}

// partLabel is the name of a layer or the like.
func partLabel(part prune.ObjectUsage) string {
	kind := string(part.Kind)
	if part.Layer > 0 {
		kind += " " + strconv.Itoa(part.Layer)
	}
	if part.Digest != "" {
		return kind + " " + shortDigest(string(part.Digest))
	}
	return kind + " " + shortDigest(part.Snapshot)
}

func partSum(part prune.ObjectUsage) (g prune.Group) {
	g.TotalBytes, g.AtLeast = part.Bytes, part.AtLeast
	return g
}

// partHolder says who has a layer or the like.
func partHolder(part *prune.ObjectUsage) string {
	said := "only in this image"
	if part.Images > 1 {
		said = fmt.Sprintf("in %d images", part.Images)
	}
	if part.Holder != "" {
		said += "; stays for " + part.Holder
	}
	return said
}
