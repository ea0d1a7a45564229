package text

import (
	"strconv"
	"strings"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Runs lists the runs that can be undone.
func Runs(out *terminal.Printer, runs []prune.Run, now time.Time) {
	t := terminal.Table{Columns: []terminal.Column{{Title: "RUN"}, {Title: "STARTED", Least: 10}, {Title: "UNTIL", Least: 10}, {Title: "NAMESPACES", Least: 10}, {Title: "RECORDS", Right: true}, {Title: "HOLDS", Right: true}}}
	for _, r := range runs {
		t.Add(r.Name, terminal.Ago(now, r.Started), terminal.Until(now, r.Until), strings.Join(r.Namespaces, ","), strconv.Itoa(len(r.Records)), total(r.Holds))
	}
	t.Narrow(out, "NAMESPACES", "STARTED", "RECORDS", "HOLDS")
	t.Print(out)
}

// Undone shows which records were restored.
func Undone(out *terminal.Printer, undone *prune.Undone) {
	for _, r := range undone.Restored {
		out.Line("Restored: %s%s", Prefix(r.Namespace), out.Name(r.Name))
	}
	for _, m := range undone.Missing {
		out.Sentence("Not restored: %s", out.Prose(m.Reason))
	}
	out.Sentence("Restored %s from run %s.", terminal.Count(len(undone.Restored), "image"), undone.Run)
}

// Dropped says what dropping a run freed.
func Dropped(out *terminal.Printer, run string, freed, garbage prune.Amount) {
	out.Line("Dropped run %s.", run)
	reclaimedText(out, freed, garbage)
}

// reclaimedText is the last line after anything that freed space.
func reclaimedText(out *terminal.Printer, freed, garbage prune.Amount) {
	if garbage.Blobs+garbage.Snapshots > 0 {
		out.Sentence("Existing garbage collected: %s, %s", objects(garbage.Blobs, garbage.Snapshots), total(garbage))
	}
	out.Sentence("Total reclaimed space: %s", Sizes(freed))
}

// Undoing shows which run would be undone.
func Undoing(out *terminal.Printer, run prune.Run, now time.Time) {
	out.Sentence("Run %s, %s, removed %s. They can be restored: %s.", run.Name, terminal.Ago(now, run.Started),
		terminal.Count(len(run.Records), "image record"), terminal.Until(now, run.Until))
	for _, r := range run.Records {
		out.Line("  %s%s", Prefix(r.Namespace), out.Name(r.Name))
	}
}
