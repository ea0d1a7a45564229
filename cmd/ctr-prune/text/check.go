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
		out.Sentence("Repaired: %s%s %s, %s", whereOf(f), f.Problem, out.Name(f.Object), terminal.SizeAtLeast(f.Bytes, f.AtLeast))
	}
	for _, f := range doc.Renewed {
		out.Sentence("Kept: %slease %s: it had expired, but its owner has renewed it", whereOf(f), out.Name(f.Object))
	}
	if len(doc.Findings) == 0 {
		verdict := "No problems found."
		if len(doc.Notes) > 0 {
			verdict = "No problems found in what could be checked."
		}
		out.Line("%s", verdict)
		return
	}
	repairable := 0
	for i, f := range doc.Findings {
		if i > 0 {
			out.Line("")
		}
		block(out, f)
		if f.Repairable {
			repairable++
		}
	}
	if slices.ContainsFunc(doc.Findings, func(f prune.Finding) bool { return f.AtLeast }) {
		out.Sentence(boundsExplained)
	}
	if repairable > 0 {
		out.Line("")
		out.Sentence("%s can be repaired safely: ctr-prune check --repair", terminal.Count(repairable, "finding"))
	}
}

// block shows a finding: what it is and of which size, what that means, and how to fix
// it. Nothing of it is cut.
func block(out *terminal.Printer, f prune.Finding) {
	about := " " + out.Name(f.Object)
	if f.Namespace != "" {
		about += " (namespace " + f.Namespace + ")"
	}
	if f.Bytes > 0 || f.AtLeast {
		about += ", " + terminal.SizeAtLeast(f.Bytes, f.AtLeast)
	}
	out.Wrapped(out.Paint(terminal.Bold, f.Problem.String()+":")+terminal.Quote(about), "  ")
	out.Wrapped("  "+terminal.Quote(f.Meaning), "  ")
	if f.Fix != "" {
		out.Wrapped("  "+terminal.Quote("Fix: "+f.Fix), "       ")
	}
}

// whereOf is the namespace of a finding, before its name; "" if it has none.
func whereOf(f prune.Finding) string {
	if f.Namespace == "" {
		return ""
	}
	return Prefix(f.Namespace)
}
