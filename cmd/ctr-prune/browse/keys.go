package browse

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Key tells the model of a key, by Bubble Tea's name of it.
func (m *Model) Key(key string) Effect {
	switch {
	case key == "ctrl+z":
		return Suspend
	case m.page == pageSearch:
		return m.searchKey(key)
	case key == "ctrl+c":
		return m.interrupt()
	}
	switch m.page {
	case pageTree:
		return m.treeKey(key)
	case pageHelp, pageText:
		return m.pageKey(key)
	case pageQuestion:
		return m.answer(key)
	default:
		if key == "q" && m.tree == nil {
			return Quit
		}
		return None
	}
}

// interrupt ends what is being done in order, or else the program.
func (m *Model) interrupt() Effect {
	m.stopping = m.page == pageWait
	return Stop
}

func (m *Model) treeKey(key string) Effect {
	m.note = ""
	if m.moveKey(key) {
		return None
	}
	switch key {
	case "q":
		return Quit
	case "?", "f1":
		m.page, m.text, m.scroll = pageHelp, m.help, 0
	case "/":
		m.page, m.typed = pageSearch, ""
	case "n", "N":
		m.again(key == "N")
	case "s":
		m.sortBy((m.order+1)%orders, false)
	case "S":
		m.sortBy(m.order, !m.reverse)
	case "r":
		return Read
	case "u":
		return Undo
	case "c":
		m.clear()
	case "enter":
		return m.plan()
	}
	return None
}

// moveKey is for the keys that select, open and mark lines.
func (m *Model) moveKey(key string) bool {
	n := m.selected()
	switch key {
	case "up", "k":
		m.move(-1)
	case "down", "j":
		m.move(1)
	case "pgup", "ctrl+b":
		m.move(-m.listed())
	case "pgdown", "ctrl+f":
		m.move(m.listed())
	case "home", "g":
		m.move(-len(m.rows))
	case "end", "G":
		m.move(len(m.rows))
	case "right", "l":
		m.enter(n)
	case "left", "h":
		m.leave(n)
	case "space", "m":
		if n != nil {
			m.toggle(n)
			m.move(1)
		}
	default:
		return false
	}
	return true
}

// enter opens a line, or goes into one that is open.
func (m *Model) enter(n *node) {
	switch {
	case n == nil || n.kind == kindPart:
	case n.open:
		m.move(1)
	default:
		m.setOpen(n, true)
		m.list()
	}
}

// leave closes a line, or goes out of one that is closed.
func (m *Model) leave(n *node) {
	switch {
	case n == nil:
	case n.open:
		n.open = false
		m.list()
	case n.parent != nil && n.parent.kind != kindStore:
		for i, row := range m.rows {
			if row == n.parent {
				m.cursor = i
			}
		}
	}
}

func (m *Model) sortBy(by order, reverse bool) {
	n := m.selected()
	m.order, m.reverse = by, reverse
	m.tree.sort(by, reverse)
	m.list()
	for i, row := range m.rows {
		if row == n {
			m.cursor = i
		}
	}
	m.note = "Sorted by " + words[by] + "."
	if reverse {
		m.note = "Sorted by " + words[by] + ", reversed."
	}
}

// plan asks for the plan of what is marked.
func (m *Model) plan() Effect {
	switch {
	case len(m.marks) == 0:
		m.note = "Nothing is marked: mark images with the space bar first."
	case m.picked.Records == 0:
		m.note = "Nothing that is marked can be removed: " + m.firstStay()
	default:
		return Plan
	}
	return None
}

// firstStay is why the first marked image stays.
func (m *Model) firstStay() string {
	if len(m.picked.Stays) == 0 {
		return ""
	}
	s := m.picked.Stays[0]
	return fmt.Sprintf("%s: %s.", bestName(m.usage.Images[s.Image].Names), s.Reason)
}

// again searches for the same text once more.
func (m *Model) again(backward bool) {
	switch {
	case m.found == "":
		m.note = "Nothing was searched for yet: / searches."
	case !m.search(m.found, backward):
		m.note = fmt.Sprintf("No image has %q in its name.", m.found)
	}
}

func (m *Model) searchKey(key string) Effect {
	switch key {
	case "ctrl+c", "esc":
		m.page = pageTree
	case "enter":
		m.page, m.found = pageTree, m.typed
		if m.typed != "" {
			m.again(false)
		}
	case "backspace":
		_, last := utf8.DecodeLastRuneInString(m.typed)
		m.typed = m.typed[:len(m.typed)-last]
	case "space":
		m.typed += " "
	default:
		if utf8.RuneCountInString(key) == 1 && !strings.ContainsFunc(key, func(r rune) bool { return r < ' ' }) {
			m.typed += key
		}
	}
	return None
}

// scrollKey is for the keys that scroll a page.
func (m *Model) scrollKey(key string) bool {
	lines, room := len(m.text(m.Width)), m.pageRoom()
	switch key {
	case "up", "k":
		m.scroll--
	case "down", "j":
		m.scroll++
	case "pgup", "ctrl+b":
		m.scroll -= room
	case "pgdown", "ctrl+f", "space":
		m.scroll += room
	case "home":
		m.scroll = 0
	case "end", "G":
		m.scroll = lines
	default:
		return false
	}
	m.scroll = max(0, min(m.scroll, lines-room))
	return true
}

func (m *Model) pageKey(key string) Effect {
	if m.scrollKey(key) {
		return None
	}
	switch key {
	case "q", "esc", "enter", "?", "left", "h":
		m.page = pageTree
		if m.stale {
			return Read
		}
	}
	return None
}

// answer is for the keys below a question.
func (m *Model) answer(key string) Effect {
	if m.scrollKey(key) {
		return None
	}
	switch key {
	case "y":
		return Do
	case "g":
		if m.asked == Plan && !m.Always {
			return DoWithGrace
		}
	case "n", "q", "esc", "left", "h":
		m.Noting("Nothing was removed.")
		if m.asked == Undo {
			m.note = "Nothing was restored."
		}
	}
	return None
}
