package prune

import (
	"github.com/ctr-prune/ctr-prune/prune/internal/document"
)

// PlanDocument returns the plan in the form in which programs read it as JSON.
func PlanDocument(p *Plan) Document {
	return document.PlanDocument(p)
}

// ReportDocument returns the report in the form in which programs read it as
// JSON.
func ReportDocument(r *Report) Document {
	return document.ReportDocument(r)
}

// Document is a plan or a report in JSON. Both have the same fields, so that a
// reader needs only one type; what is not known yet in a plan is empty. No list
// is ever null. Names are exact: they are not quoted or shortened. docs/json.md
// describes every field.
type Document = document.Document

// The schema version of a Document, and its kinds.
const (
	DocumentSchema = document.DocumentSchema
	DocumentPlan   = document.DocumentPlan
	DocumentReport = document.DocumentReport
)

// PolicyDocument is a [Policy] in a [Document].
type PolicyDocument = document.PolicyDocument

// Counts is how many records have each action. The numbers add up to Images.
type Counts = document.Counts

// ImageDocument is a [Decision] in a [Document].
type ImageDocument = document.ImageDocument

// DeletedDocument is a deleted blob, named by its digest, or a deleted snapshot
// of a namespace, named "snapshotter/key".
type DeletedDocument = document.DeletedDocument

// NamespaceCount is how many image records a namespace has.
type NamespaceCount = document.NamespaceCount
