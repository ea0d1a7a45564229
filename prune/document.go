package prune

import (
	"github.com/ctr-prune/ctr-prune/prune/internal/document"
)

// PlanDocument returns the plan for programs.
func PlanDocument(p *Plan) Document {
	return document.PlanDocument(p)
}

// ReportDocument returns the report for programs.
func ReportDocument(r *Report) Document {
	return document.ReportDocument(r)
}

// Document is a plan or a report as programs read it. Both have the same
// fields, so that a reader needs one shape: what is unknown in a plan is empty.
// No list is ever null. Names are exact.
type Document = document.Document

// The version of Document, and its kinds.
const (
	DocumentSchema = document.DocumentSchema
	DocumentPlan   = document.DocumentPlan
	DocumentReport = document.DocumentReport
)

// PolicyDocument is a [Policy] in a [Document].
type PolicyDocument = document.PolicyDocument

// Counts says how many records have each action. They add up to Images.
type Counts = document.Counts

// ImageDocument is a [Decision] in a [Document].
type ImageDocument = document.ImageDocument

// DeletedDocument is a blob, by its digest, or a snapshot of a namespace, as
// "snapshotter/key", that is gone.
type DeletedDocument = document.DeletedDocument

// NamespaceCount is how many image records a namespace has.
type NamespaceCount = document.NamespaceCount
