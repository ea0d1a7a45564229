package terminal

import "github.com/mattn/go-runewidth"

// Branch is a line of a tree with those below it.
type Branch struct {
	Text string
	// Note stands at the right of a text that may be cut.
	Note  string
	Below []Branch
}

// leastBranch is the width below which a line of a tree is not cut.
const leastBranch = 8

// Tree draws branches; a text that does not fit is cut in the middle.
func (p *Printer) Tree(branches []Branch) { p.grow(branches, "  ") }

func (p *Printer) grow(branches []Branch, indent string) {
	for i, b := range branches {
		fork, below := "├─ ", "│  "
		if i == len(branches)-1 {
			fork, below = "└─ ", "   "
		}
		text, note := Quote(b.Text), ""
		if b.Note != "" {
			note = "  " + b.Note
		}
		if p.Fitted() {
			text = shorten(p.Shown(text), max(leastBranch, p.Width-runewidth.StringWidth(indent+fork+note)), true, p.mark())
		}
		p.Write(indent + fork + text + note + "\n")
		p.grow(b.Below, indent+below)
	}
}
