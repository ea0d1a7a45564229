package format

import (
	"strings"
	"text/template/parse"
)

// prepare prepares a template for execution: every printed value passes through
// the function that quotes it, in the way of html/template, and \t and \n in
// its text, which a shell does not interpret, become a tab and a line break.
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

// literal reports whether a value is a constant of the template, such as "\n".
func literal(pipe *parse.PipeNode) bool {
	return len(pipe.Cmds) == 1 && len(pipe.Cmds[0].Args) == 1 && pipe.Cmds[0].Args[0].Type() == parse.NodeString
}
