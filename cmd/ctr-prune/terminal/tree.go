package terminal

import "github.com/mattn/go-runewidth"

// Branch is a line of a tree with those below it.
type Branch struct {
	Text string
	// Note stands at the right of the text, or below it where there is no room.
	Note  string
	Below []Branch
}

// leastBranch is the width to which a line of a tree is folded, however deep it is.
const leastBranch = 16

// Tree draws branches. A text that does not fit is folded: nothing is cut.
func (p *Printer) Tree(branches []Branch) { p.grow(branches, "  ") }

func (p *Printer) grow(branches []Branch, indent string) {
	for i, b := range branches {
		fork, below := "├─ ", "│  "
		if i == len(branches)-1 {
			fork, below = "└─ ", "   "
		}
		for n, line := range p.branch(b, runewidth.StringWidth(indent+fork)) {
			if n == 0 {
				p.Write(indent + fork + line + "\n")
			} else {
				p.Write(indent + below + "  " + line + "\n")
			}
		}
		p.grow(b.Below, indent+below)
	}
}

// branch returns the lines of a branch without those below it, which begin in a column.
func (p *Printer) branch(b Branch, column int) []string {
	text, whole := Quote(b.Text), Quote(b.Text)
	if b.Note != "" {
		whole += "  " + b.Note
	}
	room := p.Width - column
	if !p.Fitted() || runewidth.StringWidth(p.Shown(whole)) <= room {
		return []string{whole}
	}
	room = max(leastBranch, room-len("  "))
	lines := fold(p.Shown(text), room)
	last := len(lines) - 1
	switch {
	case b.Note == "":
	case runewidth.StringWidth(lines[last]+"  "+b.Note) <= room:
		lines[last] += "  " + b.Note
	default:
		lines = append(lines, b.Note)
	}
	return lines
}
