package browse

import (
	"maps"
	"slices"
)

func sortedKeys(of map[int]bool) []int { return slices.Sorted(maps.Keys(of)) }

// toggle marks what is below a line, or takes all marks there away if each image that
// may go has one. An image that stays can be marked by itself, to see why.
func (m *Model) toggle(n *node) {
	for n.kind == kindPart {
		n = n.parent
	}
	if n.kind == kindImage {
		if m.marks[n.image] {
			delete(m.marks, n.image)
		} else {
			m.marks[n.image] = true
		}
		m.pick()
		return
	}
	images := m.mayGo(n)
	if len(images) == 0 {
		m.note = "Nothing there may be removed."
		return
	}
	all := !slices.ContainsFunc(images, func(i int) bool { return !m.marks[i] })
	for _, i := range images {
		if all {
			delete(m.marks, i)
		} else {
			m.marks[i] = true
		}
	}
	m.pick()
}

// mayGo lists the images below a line that a prune of all unused images removes.
func (m *Model) mayGo(n *node) []int {
	var images []int
	var grow func(*node)
	grow = func(n *node) {
		if n.kind == kindImage && m.usage.Images[n.image].Unused {
			images = append(images, n.image)
		}
		for _, kid := range n.kids {
			grow(kid)
		}
	}
	grow(n)
	return images
}

// clear takes all marks away.
func (m *Model) clear() {
	m.marks = make(map[int]bool)
	m.pick()
}

// pick finds out what becomes of what is marked, and counts it in all lines.
func (m *Model) pick() {
	m.picked = m.survey.Pick(m.Marked())
	for i := range m.tree.of {
		for n := m.tree.of[i]; n != nil && (n.marked != 0 || n.going != 0); n = n.parent {
			n.marked, n.going = 0, 0
		}
	}
	m.goes, m.stays = make(map[int]bool, len(m.picked.Goes)), make(map[int]string, len(m.picked.Stays))
	for _, i := range m.picked.Goes {
		m.goes[i] = true
		for n := m.tree.of[i]; n != nil; n = n.parent {
			n.going++
		}
	}
	for i := range m.marks {
		for n := m.tree.of[i]; n != nil; n = n.parent {
			n.marked++
		}
	}
	for _, s := range m.picked.Stays {
		m.stays[s.Image] = s.Reason
	}
}
