package browse

import "strings"

// search selects the next image, after the selected line, that has a name with the text
// in it, and opens what it is in. It says whether there is one.
func (m *Model) search(text string, backward bool) bool {
	if text == "" || m.tree == nil {
		return false
	}
	text = strings.ToLower(text)
	lines := m.leaves()
	start := m.before(lines)
	for i := 1; i <= len(lines); i++ {
		at := (start + i) % len(lines)
		if backward {
			at = ((start-i)%len(lines) + len(lines)) % len(lines)
		}
		if m.matches(lines[at], text) {
			m.reveal(lines[at])
			return true
		}
	}
	return false
}

// leaves are all images in the order in which they are shown.
func (m *Model) leaves() []*node {
	all := make([]*node, 0, len(m.tree.of))
	var grow func(*node)
	grow = func(n *node) {
		if n.kind == kindImage {
			all = append(all, n)
			return
		}
		for _, kid := range n.kids {
			grow(kid)
		}
	}
	grow(m.tree.root)
	return all
}

// before is the place of the selected image or of the one before the first of the
// selected line.
func (m *Model) before(lines []*node) int {
	at := m.selected()
	for at != nil && at.kind == kindPart {
		at = at.parent
	}
	for i, n := range lines {
		if n == at {
			return i
		}
		for up := n.parent; up != nil; up = up.parent {
			if up == at {
				return i - 1
			}
		}
	}
	return -1
}

func (m *Model) matches(n *node, text string) bool {
	image := &m.usage.Images[n.image]
	for _, name := range image.Names {
		// A digest is named by its beginning: a few characters are in most of them.
		if strings.Contains(strings.ToLower(shortDigest(name)), text) {
			return true
		}
	}
	return strings.HasPrefix(image.Target.Encoded(), text) || strings.HasPrefix(string(image.Target), text)
}

// reveal selects a line, and opens what it is in.
func (m *Model) reveal(n *node) {
	for up := n.parent; up != nil; up = up.parent {
		up.open = true
	}
	m.list()
	for i, row := range m.rows {
		if row == n {
			m.cursor = i
		}
	}
}
