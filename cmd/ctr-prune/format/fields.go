package format

import (
	"reflect"
	"slices"
	"strings"
	"text/template/parse"
)

// Fields lists the fields of a row as a template names them: .A, .B
func Fields(row any) string { return dotted(fieldsOf(reflect.TypeOf(row))) }

func fieldsOf(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		names = append(names, t.Field(i).Name)
	}
	return names
}

func dotted(names []string) string { return "." + strings.Join(names, ", .") }

// rootFields lists the fields of the data that a template uses directly:
// .Name where the dot is still the data, and $.Name anywhere.
func rootFields(root *parse.ListNode) []string {
	w := &fieldWalk{}
	w.list(root, true)
	return w.found
}

// fieldWalk collects fields. Its methods take whether the dot is the data.
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
