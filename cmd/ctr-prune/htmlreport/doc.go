// Package htmlreport writes what a store holds and what a prune does to it as
// one HTML file: totals, a treemap, and the table of decisions.
//
// The file is self-contained. It makes no requests, its Content-Security-Policy
// allows none, and only the scripts with the hashes in that policy run. What
// comes from the store, names above all, is never markup: it is JSON in a block
// that no browser executes, with control and direction characters written out,
// and the page shows it by textContent alone.
package htmlreport

import (
	"time"

	"github.com/ctr-prune/ctr-prune/prune"
)

// Page is the content of the file. Usage provides the totals and the treemap,
// Document the plan or report, Node how a resident is; each may be nil, but not all.
type Page struct {
	// Title is the heading; if empty, a default for the kind of page.
	Title string
	// Host is the name of the machine, left out if empty.
	Host string
	// Usage must have been made with its objects. Beside a Document it is
	// the [prune.Plan.Usage] of the same plan.
	Usage    *prune.DiskUsage
	Document *prune.Document
	Node     *Node
	// Generated is when the file was written.
	Generated time.Time
}

// The kinds of page.
const (
	kindNode   = "node"
	kindUsage  = "df"
	kindPlan   = prune.DocumentPlan
	kindReport = prune.DocumentReport
)

func (p Page) kind() string {
	switch {
	case p.Document == nil && p.Usage == nil:
		return kindNode
	case p.Document == nil:
		return kindUsage
	}
	return p.Document.Kind
}

func (p Page) title() string {
	switch {
	case p.Title != "":
		return p.Title
	case p.kind() == kindNode:
		return "The store has not been read yet"
	case p.kind() == kindUsage:
		return "What fills the store"
	case p.kind() == kindPlan:
		return "What a prune would do"
	default:
		return "What the prune did"
	}
}
