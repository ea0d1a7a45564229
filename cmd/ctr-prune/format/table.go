package format

import (
	"strings"
	"text/template/parse"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
)

// printCells prints lines whose cells are separated by tabs as a table.
func printCells(out *terminal.Printer, heads, lines []string) {
	t := terminal.Table{Columns: make([]terminal.Column, len(heads))}
	for i, head := range heads {
		t.Columns[i] = terminal.Column{Title: head, Least: terminal.LeastText}
	}
	for _, line := range lines {
		cells := strings.SplitN(line, "\t", len(t.Columns))
		for len(cells) < len(t.Columns) {
			cells = append(cells, "")
		}
		t.Add(cells...)
	}
	t.Print(out)
}

// headings makes the titles of a table, as docker does: a cell with the names
// of its fields instead of their values.
func headings(text string) []string {
	cells := strings.Split(unescape(text), "\t")
	for i, cell := range cells {
		cells[i] = heading(cell)
	}
	return cells
}

func heading(cell string) string {
	tree, err := parse.Parse("cell", cell, "", "", parseFuncs())
	if err != nil {
		return strings.ToUpper(terminal.Quote(cell)) // an action that spans cells
	}
	if len(rootFields(tree["cell"].Root)) == 0 {
		return ""
	}
	var title strings.Builder
	for _, node := range tree["cell"].Root.Nodes {
		if text, ok := node.(*parse.TextNode); ok {
			title.Write(text.Text)
		} else if fields := rootFields(&parse.ListNode{Nodes: []parse.Node{node}}); len(fields) > 0 {
			title.WriteString(strings.ToUpper(fields[len(fields)-1])) // what comes before it are conditions
		}
	}
	return strings.TrimSpace(title.String())
}
