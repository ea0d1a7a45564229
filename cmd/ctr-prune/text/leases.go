package text

import (
	"slices"
	"strconv"
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Leases lists leases, and what a prune of them would do.
func Leases(out *terminal.Printer, list []prune.LeaseInfo, now time.Time) {
	t := terminal.Table{Columns: []terminal.Column{
		{Title: "NAMESPACE", Least: 7}, {Title: "ID", Least: terminal.LeastText, Middle: true}, {Title: "KIND", Least: 7}, {Title: "AGE"}, {Title: "EXPIRES", Least: 5},
		{Title: "FLAT"}, {Title: "HOLDS", Right: true}, {Title: "ALONE", Right: true}, {Title: "PRUNE", Paint: actionStyle}, {Title: "REASON", Least: 30, Whole: true},
	}}
	for _, l := range list {
		flat := "no"
		if l.Flat {
			flat = "yes"
		}
		t.Add(l.Namespace, l.ID, string(l.Kind), terminal.Ago(now, l.CreatedAt), terminal.Until(now, l.Expires), flat, strconv.Itoa(l.Resources),
			total(l.Alone), string(l.Action), l.Reason)
	}
	t.Narrow(out, "FLAT", "HOLDS", "AGE", "EXPIRES", "KIND", "NAMESPACE")
	t.Print(out)
}

// PrunedLeases shows what happened to the leases that existed before.
func PrunedLeases(out *terminal.Printer, before []prune.LeaseInfo, d prune.PrunedLeases) {
	for _, r := range d.Recovered {
		recoveredText(out, r)
	}
	line := func(what string, l prune.LeaseInfo, reason string) {
		out.Sentence("%s: %slease %s (%s): %s", what, Prefix(l.Namespace), out.Name(l.ID), l.Kind, reason)
	}
	for _, l := range d.Removed {
		line("Removed", l, l.Reason)
	}
	for _, l := range d.Renewed {
		line("Kept", l, "it had expired, but its owner has renewed it")
	}
	for _, l := range before {
		if l.Action == prune.Keep && !slices.ContainsFunc(d.Removed, func(r prune.LeaseInfo) bool { return r.ID == l.ID && r.Namespace == l.Namespace }) {
			line("Kept", l, l.Reason)
		}
	}
	reclaimedText(out, d.Reclaimed, d.Garbage)
}
