package main

import (
	"slices"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// checkRow is what a template sees of a finding.
type checkRow struct {
	Problem, Namespace, Object string
	Bytes                      format.Bytes
	Meaning, Mend              string
	// AtLeast says that Bytes is a lower bound.
	Repairable, AtLeast bool
}

func checkRows(found []prune.Finding) []checkRow {
	rows := make([]checkRow, len(found))
	for i, f := range found {
		rows[i] = checkRow{string(f.Problem), f.Namespace, f.Object, format.Bytes(f.Bytes), f.Meaning, f.Mend, f.Repairable, f.AtLeast}
	}
	return rows
}

// checkDocument is what --format json shows.
type checkDocument struct {
	header
	Findings []prune.Finding `json:"findings"`
	// Repaired are the findings that --repair mended.
	Repaired []prune.Finding `json:"repaired"`
	// Renewed are leases that had expired and that their owners have made again
	// since, which --repair left alone.
	Renewed []prune.Finding `json:"renewed"`
	// Notes say what could not be looked for.
	Notes []string `json:"notes"`
}

type findingEvent struct {
	Type string `json:"type"`
	prune.Finding
}

func checkContent(doc checkDocument) format.Result[checkRow] {
	return format.Result[checkRow]{
		Doc: doc, Lines: func() []any { return checkLines(doc) }, Rows: func() []checkRow { return checkRows(doc.Findings) },
		Names: func() []string { return each(doc.Findings, func(f prune.Finding) string { return f.Object }) },
		Text:  func(out *terminal.Printer) { checkText(out, doc) },
	}
}

func checkLines(doc checkDocument) []any {
	var lines []any
	for _, f := range doc.Repaired {
		lines = append(lines, findingEvent{"repaired", f})
	}
	for _, f := range doc.Renewed {
		lines = append(lines, findingEvent{"renewed", f})
	}
	for _, f := range doc.Findings {
		lines = append(lines, findingEvent{"finding", f})
	}
	for _, note := range doc.Notes {
		lines = append(lines, textEvent{"note", note})
	}
	return lines
}

func checkText(out *terminal.Printer, doc checkDocument) {
	findingsText(out, doc)
	for _, note := range doc.Notes {
		out.Sentence("Note: %s", out.Prose(note))
	}
}

func findingsText(out *terminal.Printer, doc checkDocument) {
	for _, f := range doc.Repaired {
		out.Line("Repaired: %s%s %s, %s", whereOf(f), f.Problem, out.Name(f.Object), terminal.SizeAtLeast(f.Bytes, f.AtLeast))
	}
	for _, f := range doc.Renewed {
		out.Line("Kept: %slease %s: it had expired, but its owner has made it again since", whereOf(f), out.Name(f.Object))
	}
	if len(doc.Findings) == 0 {
		verdict := "Nothing is wrong."
		if len(doc.Notes) > 0 {
			verdict = "Nothing wrong was found."
		}
		out.Line("%s", verdict)
		return
	}
	t := terminal.Table{Columns: []terminal.Column{
		{Title: "PROBLEM"}, {Title: "NAMESPACE", Least: 7}, {Title: "OBJECT", Least: terminal.LeastText, Middle: true},
		{Title: "BYTES"}, {Title: "MEANING", Least: terminal.LeastText}, {Title: "MEND", Least: terminal.LeastText},
	}}
	repairable := 0
	for _, f := range doc.Findings {
		t.Add(string(f.Problem), f.Namespace, f.Object, terminal.SizeAtLeast(f.Bytes, f.AtLeast), f.Meaning, f.Mend)
		if f.Repairable {
			repairable++
		}
	}
	t.Narrow(out, "BYTES", "NAMESPACE")
	t.Print(out)
	if slices.ContainsFunc(doc.Findings, func(f prune.Finding) bool { return f.AtLeast }) {
		out.Sentence(boundsExplained)
	}
	if repairable > 0 {
		out.Line("")
		out.Line("%s can be mended without risk: ctr-prune check --repair", terminal.Count(repairable, "finding"))
	}
}

// whereOf is the namespace of a finding, before its name; "" if it has none.
func whereOf(f prune.Finding) string {
	if f.Namespace == "" {
		return ""
	}
	return prefixOf(f.Namespace)
}
