package main

import (
	"slices"
	"strings"
	"text/template/parse"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
)

// rootFields lists the fields of the data that a template uses directly:
// .Name where the dot is still the data, and $.Name anywhere.
func rootFields(root *parse.ListNode) []string {
	w := &fieldWalk{}
	w.list(root, true)
	return w.found
}

// fieldWalk collects fields. Its methods are told whether the dot is the data.
type fieldWalk struct{ found []string }

func (w *fieldWalk) add(field string) {
	if !slices.Contains(w.found, field) {
		w.found = append(w.found, field)
	}
}

func (w *fieldWalk) list(list *parse.ListNode, top bool) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.ActionNode:
			w.pipe(n.Pipe, top)
		case *parse.IfNode:
			w.branch(&n.BranchNode, top, top)
		case *parse.RangeNode:
			w.branch(&n.BranchNode, top, false)
		case *parse.WithNode:
			w.branch(&n.BranchNode, top, false)
		case *parse.TemplateNode:
			w.pipe(n.Pipe, top)
		}
	}
}

// branch walks a control structure. Its else part has the dot from outside.
func (w *fieldWalk) branch(n *parse.BranchNode, top, inside bool) {
	w.pipe(n.Pipe, top)
	w.list(n.List, inside)
	w.list(n.ElseList, top)
}

func (w *fieldWalk) pipe(pipe *parse.PipeNode, top bool) {
	if pipe == nil {
		return
	}
	for _, cmd := range pipe.Cmds {
		for _, arg := range cmd.Args {
			w.arg(arg, top)
		}
	}
}

func (w *fieldWalk) arg(arg parse.Node, top bool) {
	switch n := arg.(type) {
	case *parse.FieldNode:
		if top {
			w.add(n.Ident[0])
		}
	case *parse.VariableNode:
		if n.Ident[0] == "$" && len(n.Ident) > 1 {
			w.add(n.Ident[1])
		}
	case *parse.ChainNode:
		w.arg(n.Node, top)
	case *parse.PipeNode:
		w.pipe(n, top)
	}
}

// prepare makes a template fit to be executed: every value that it prints ends
// with the function that quotes it, as html/template does with its own, and \t
// and \n in its text, which a shell hands on as they are, become what they mean.
func prepare(list *parse.ListNode) {
	if list == nil {
		return
	}
	for _, node := range list.Nodes {
		switch n := node.(type) {
		case *parse.TextNode:
			n.Text = []byte(unescape(string(n.Text)))
		case *parse.ActionNode:
			quotePipe(n.Pipe)
		case *parse.IfNode:
			prepareBranch(&n.BranchNode)
		case *parse.RangeNode:
			prepareBranch(&n.BranchNode)
		case *parse.WithNode:
			prepareBranch(&n.BranchNode)
		}
	}
}

func prepareBranch(n *parse.BranchNode) {
	prepare(n.List)
	prepare(n.ElseList)
}

func quotePipe(pipe *parse.PipeNode) {
	if len(pipe.Decl) > 0 || literal(pipe) {
		return // an assignment prints nothing
	}
	pipe.Cmds = append(pipe.Cmds, &parse.CommandNode{
		NodeType: parse.NodeCommand, Pos: pipe.Pos,
		Args: []parse.Node{parse.NewIdentifier(funcQuote).SetPos(pipe.Pos)},
	})
}

func unescape(text string) string {
	return strings.NewReplacer(`\t`, "\t", `\n`, "\n").Replace(text)
}

// literal says whether a value is a constant, such as "\n", of whoever wrote
// the template.
func literal(pipe *parse.PipeNode) bool {
	return len(pipe.Cmds) == 1 && len(pipe.Cmds[0].Args) == 1 && pipe.Cmds[0].Args[0].Type() == parse.NodeString
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
