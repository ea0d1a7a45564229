package text

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/github"
	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Remarks are what GitHub Actions shows beside a step: the gist first.
type Remarks []github.Remark

func (r *Remarks) add(level github.Level, format string, args ...any) {
	*r = append(*r, github.Remark{Level: level, Text: fmt.Sprintf(format, args...)})
}

// notes adds what a result has to tell beside its figures.
func (r *Remarks) notes(notes []prune.Cause) {
	for _, note := range notes {
		r.add(github.Notice, "Note: %s", note.Reason)
	}
}

// DocumentRemarks are those of a plan or a report. Errors and refused namespaces are
// told by the command itself.
func DocumentRemarks(doc prune.Document) []github.Remark {
	var all Remarks
	gone := doc.Counts.Remove + doc.Counts.StandIn
	records := terminal.Count(doc.Counts.Images, "image record")
	switch {
	case gone == 0 && len(doc.Untagged) == 0:
		all.add(github.Notice, "Nothing to remove in %s.", scope(doc))
	case doc.Kind == prune.DocumentPlan:
		all.add(github.Notice, "Would remove %d of %s and reclaim %s.", gone, records, Sizes(doc.Predicted))
	case !doc.Measured:
		all.add(github.Warning, "Removed %d of %s; how much that freed is not known, because the store could not be read after the run.", len(doc.Untagged), records)
	default:
		all.add(github.Notice, "Removed %d of %s and reclaimed %s.", len(doc.Untagged), records, Sizes(doc.Reclaimed))
	}
	if doc.Grace != nil && doc.Grace.Run != "" && len(doc.Untagged) > 0 {
		all.add(github.Notice, "Kept until %s: undo with ctr-prune undo %s", doc.Grace.Until.UTC().Format(time.RFC3339), doc.Grace.Run)
	}
	for _, s := range slices.Concat(doc.Dropped, doc.Skipped) {
		all.add(github.Warning, "Left alone: %s: %s", inNamespace(doc, s.Namespace, terminal.Visible(s.Name)), s.Reason)
	}
	for _, r := range doc.Restored {
		all.add(github.Warning, "Restored: %s: %s", inNamespace(doc, r.Namespace, terminal.Visible(r.Name)), r.Reason)
	}
	for _, change := range doc.Changes {
		all.add(github.Notice, "Changed: %s", change.Reason)
	}
	all.notes(doc.Notes)
	return all
}

// DocumentFigures are the outputs of a step that plans or removes.
func DocumentFigures(doc prune.Document) []github.Figure {
	return []github.Figure{
		{Name: "removed", Value: int64(len(doc.Untagged))},
		{Name: "reclaimed-bytes", Value: doc.Reclaimed.TotalBytes},
		{Name: "planned", Value: int64(doc.Counts.Remove + doc.Counts.StandIn)},
		{Name: "predicted-bytes", Value: doc.Predicted.TotalBytes},
	}
}

// UsageRemarks are those of df.
func UsageRemarks(u *prune.DiskUsage) []github.Remark {
	var all Remarks
	all.add(github.Notice, "Total %s, of which a prune of all unused images would free %s.", total(u.Total), total(u.Reclaimable))
	all.notes(u.Notes)
	return all
}

// UsageFigures are the outputs of a step that asks what fills the store.
func UsageFigures(u *prune.DiskUsage) []github.Figure {
	return []github.Figure{{Name: "total-bytes", Value: u.Total.TotalBytes}, {Name: "reclaimable-bytes", Value: u.Reclaimable.TotalBytes}}
}

// CheckRemarks are those of a check.
func CheckRemarks(doc Checked) []github.Remark {
	var all Remarks
	switch {
	case len(doc.Findings) > 0:
		all.add(github.Warning, "Found %s.", terminal.Count(len(doc.Findings), "problem"))
	case len(doc.Notes) > 0:
		all.add(github.Notice, "No problems found in what could be checked.")
	default:
		all.add(github.Notice, "No problems found.")
	}
	if len(doc.Repaired) > 0 {
		all.add(github.Notice, "Repaired %s.", terminal.Count(len(doc.Repaired), "finding"))
	}
	for _, f := range doc.Findings {
		said := whereOf(f) + terminal.Visible(f.Object) + ": " + f.Meaning
		if f.Fix != "" {
			said += " Fix: " + f.Fix
		}
		all = append(all, github.Remark{Level: github.Warning, Title: f.Problem.String(), Text: said})
	}
	all.notes(doc.Notes)
	return all
}

// CheckFigures are the outputs of a step that checks.
func CheckFigures(doc Checked) []github.Figure {
	return []github.Figure{{Name: "findings", Value: int64(len(doc.Findings))}, {Name: "repaired", Value: int64(len(doc.Repaired))}}
}

// LeasesRemarks are those of a list of leases.
func LeasesRemarks(list []prune.LeaseInfo) []github.Remark {
	var all Remarks
	removable := 0
	for _, l := range list {
		if l.Action == prune.Remove {
			removable++
		}
	}
	all.add(github.Notice, "There are %s, of which %d can be removed.", terminal.Count(len(list), "lease"), removable)
	return all
}

// PrunedLeasesRemarks are those of a prune of leases.
func PrunedLeasesRemarks(d prune.PrunedLeases) []github.Remark {
	var all Remarks
	all.add(github.Notice, "Removed %s and reclaimed %s.", terminal.Count(len(d.Removed), "lease"), Sizes(d.Reclaimed))
	return all
}

// RunsRemarks are those of a list of runs.
func RunsRemarks(runs []prune.Run) []github.Remark {
	var all Remarks
	all.add(github.Notice, "%s can be undone.", terminal.Count(len(runs), "run"))
	for _, r := range runs {
		all.add(github.Notice, "Run %s removed %s and holds %s until %s.", r.Name, terminal.Count(len(r.Records), "image record"), total(r.Holds), r.Until.UTC().Format(time.RFC3339))
	}
	return all
}

// UndoneRemarks are those of an undo. What failed is told by the command itself.
func UndoneRemarks(undone *prune.Undone) []github.Remark {
	var all Remarks
	all.add(github.Notice, "Restored %s from run %s.", terminal.Count(len(undone.Restored), "image"), undone.Run)
	for _, m := range undone.Missing {
		all.add(github.Warning, "Not restored: %s", m.Reason)
	}
	return all
}

// DroppedRemarks are those of dropping a run.
func DroppedRemarks(run string, freed prune.Amount) []github.Remark {
	var all Remarks
	all.add(github.Notice, "Dropped run %s and reclaimed %s.", run, Sizes(freed))
	return all
}

// ExplanationRemarks are those of an explanation.
func ExplanationRemarks(e *prune.Explanation) []github.Remark {
	var all Remarks
	used := ""
	if len(e.UsedBy) > 0 {
		used = "; used by " + strings.Join(e.UsedBy, ", ")
	}
	all.add(github.Notice, "%s %s holds %s%s.", Capital(e.Object.Kind), terminal.Visible(e.Object.Name), Sizes(e.Holds), used)
	for _, d := range e.Decisions {
		all.add(github.Notice, "A prune with these flags would %s %s: %s", d.Action, terminal.Visible(d.Name), reason(d))
	}
	all.notes(e.Notes)
	return all
}

// Removed is how many records or leases a command has removed, as an output of a step.
func Removed(n int, freed prune.Amount) []github.Figure {
	return []github.Figure{{Name: "removed", Value: int64(n)}, {Name: "reclaimed-bytes", Value: freed.TotalBytes}}
}
