package main

import (
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/format"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/text"
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
		Text: func(out *terminal.Printer) {
			text.Check(out, text.Checked{Findings: doc.Findings, Repaired: doc.Repaired, Renewed: doc.Renewed, Notes: doc.Notes})
		},
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
