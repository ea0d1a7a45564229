package browse

import (
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

// Survey is what a [Model] asks of a store that was read: a [prune.Survey].
type Survey interface {
	Groups(parent, of []int) []prune.Group
	Contents(image int) []prune.ObjectUsage
	Pick(images []int) prune.Picked
	Policy(images []int) prune.Policy
}

// Text is text that is laid out for a width.
type Text func(width int) []string

// Model is what is shown and chosen.
type Model struct {
	Look
	// Width and Height are those of the terminal.
	Width, Height int

	survey Survey
	usage  *prune.DiskUsage
	tree   *tree
	rows   []*node
	// cursor is the row that is selected, top the first one that is shown.
	cursor, top int
	order       order
	reverse     bool

	marks  map[int]bool
	picked prune.Picked
	// goes says of each image whether it goes, stays why a marked one stays.
	goes  map[int]bool
	stays map[int]string

	page page
	// asked is what a page asks for: a plan or an undo.
	asked Effect
	text  Text
	// scroll is how many lines of a page are above the screen.
	scroll int
	// typed is what is searched for, and found what was searched for last.
	typed, found string
	// note is a sentence about the last key.
	note string
	// doing says what is waited for, since is when that began.
	doing    string
	since    time.Time
	progress prune.Progress
	stopping bool
	// stale says that the store has changed since it was read.
	stale bool
}

// Look is how things are shown.
type Look struct {
	// Title names the store.
	Title string
	// Colour allows colours, ASCII forbids all that is not.
	Colour, ASCII bool
	// Grace is for how long a run can be undone that is asked to be, in words.
	Grace string
	// Always says that each run can be undone.
	Always bool
}

// page is which of several things the screen shows.
type page int

const (
	pageWait page = iota // there is no tree yet, or something is being done
	pageTree
	pageSearch
	pageHelp
	pageQuestion // a plan, or an undo, that may be carried out
	pageText     // what came of something
)

// Effect is what a key asks for that is not done by the model.
type Effect int

// The effects.
const (
	None Effect = iota
	// Read reads the store.
	Read
	// Plan asks for a plan for what is marked, and Undo which run can be undone.
	Plan
	Undo
	// Do carries out what was shown, DoWithGrace so that it can be undone.
	Do
	DoWithGrace
	// Stop stops what is being done.
	Stop
	Suspend
	Quit
)

// New is a model before the store was read.
func New(look Look, now time.Time) *Model {
	return &Model{Look: look, Width: 80, Height: 24, doing: "Reading the store", since: now, marks: make(map[int]bool)}
}

// Loaded shows a store that was read. Lines that were open are open again.
func (m *Model) Loaded(s Survey, usage *prune.DiskUsage) {
	open := make(map[string]bool)
	path := ""
	if m.tree != nil {
		for _, n := range m.rows {
			if n.open {
				open[n.path()] = true
			}
		}
		if n := m.selected(); n != nil {
			path = n.path()
		}
	}
	m.survey, m.usage, m.stale = s, usage, false
	m.tree = newTree(s, usage)
	m.marks = make(map[int]bool)
	m.reopen(m.tree.root, open)
	m.pick()
	m.tree.sort(m.order, m.reverse)
	m.list()
	m.cursor = 0
	for i, n := range m.rows {
		if path != "" && n.path() == path {
			m.cursor = i
		}
	}
	if m.page == pageWait {
		m.page = pageTree
	}
}

func (m *Model) reopen(n *node, open map[string]bool) {
	for _, kid := range n.kids {
		if open[kid.path()] {
			m.setOpen(kid, true)
			m.reopen(kid, open)
		}
	}
}

// Waiting shows that something is being done.
func (m *Model) Waiting(doing string, now time.Time) {
	m.page, m.doing, m.since, m.progress, m.stopping = pageWait, doing, now, prune.Progress{}, false
}

// Told shows how far that has got.
func (m *Model) Told(p prune.Progress) { m.progress = p }

// Asking shows what would be done, and asks for an answer.
func (m *Model) Asking(asked Effect, text Text) {
	m.page, m.asked, m.text, m.scroll = pageQuestion, asked, text, 0
}

// Showing shows what came of something; changed says that the store is another now.
func (m *Model) Showing(text Text, changed bool) {
	m.page, m.text, m.scroll = pageText, text, 0
	m.stale = m.stale || changed
}

// Noting goes back to the tree with a sentence.
func (m *Model) Noting(note string) {
	m.page, m.note = pageTree, note
}

// Marked lists the images that are marked.
func (m *Model) Marked() []int { return sortedKeys(m.marks) }

// Policy is the policy that removes what is marked.
func (m *Model) Policy() prune.Policy { return m.survey.Policy(m.Marked()) }

// list lists the rows anew.
func (m *Model) list() {
	m.rows = m.tree.visible()
	m.move(0)
}

// selected is the row that is selected, nil if there is none.
func (m *Model) selected() *node {
	if m.cursor < 0 || m.cursor >= len(m.rows) {
		return nil
	}
	return m.rows[m.cursor]
}

// move moves the selection, as far as there are rows.
func (m *Model) move(by int) {
	m.cursor = max(0, min(m.cursor+by, len(m.rows)-1))
}

// setOpen opens or closes a line. What an image consists of is asked for when it is
// opened first.
func (m *Model) setOpen(n *node, open bool) {
	if n.kind == kindImage && n.kids == nil {
		for _, part := range m.survey.Contents(n.image) {
			n.kids = append(n.kids, &node{kind: kindPart, label: partLabel(part), parent: n, image: noImage, part: &part, sum: partSum(part)})
		}
	}
	n.open = open && len(n.kids) > 0
}
