package text

import (
	"slices"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Checked is the result of a check, and of a repair before it.
type Checked struct {
	Findings, Repaired []prune.Finding
	// Renewed are leases that had expired and were created again.
	Renewed []prune.Finding
	// Notes say what could not be checked.
	Notes []prune.Cause
}

// Check shows what is wrong with a store.
func Check(out *terminal.Printer, doc Checked) {
	findingsText(out, doc)
	for _, note := range doc.Notes {
		out.Sentence("Note: %s", out.Prose(note.Reason))
	}
}

func findingsText(out *terminal.Printer, doc Checked) {
	for _, f := range doc.Repaired {
		out.Line("Repaired: %s%s %s, %s", whereOf(f), f.Problem, out.Name(f.Object), terminal.SizeAtLeast(f.Bytes, f.AtLeast))
	}
	for _, f := range doc.Renewed {
		out.Line("Kept: %slease %s: it had expired, but its owner has renewed it", whereOf(f), out.Name(f.Object))
	}
	if len(doc.Findings) == 0 {
		verdict := "No problems found."
		if len(doc.Notes) > 0 {
			verdict = "No problems found in what could be checked."
		}
		out.Line("%s", verdict)
		return
	}
	t := terminal.Table{Columns: []terminal.Column{
		{Title: "PROBLEM"}, {Title: "NAMESPACE", Least: 7}, {Title: "OBJECT", Least: terminal.LeastText, Middle: true},
		{Title: "BYTES"}, {Title: "MEANING", Least: terminal.LeastText}, {Title: "FIX", Least: terminal.LeastText},
	}}
	repairable := 0
	for _, f := range doc.Findings {
		t.Add(f.Problem.String(), f.Namespace, f.Object, terminal.SizeAtLeast(f.Bytes, f.AtLeast), f.Meaning, f.Fix)
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
		out.Line("%s can be repaired safely: ctr-prune check --repair", terminal.Count(repairable, "finding"))
	}
}

// whereOf is the namespace of a finding, before its name; "" if it has none.
func whereOf(f prune.Finding) string {
	if f.Namespace == "" {
		return ""
	}
	return Prefix(f.Namespace)
}
