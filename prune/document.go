package prune

import (
	"maps"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"
)

// DocumentSchema is the version of [Document]. Fields are added without a new
// version; none goes away or changes its meaning without one.
const DocumentSchema = 1

// The kinds of [Document].
const (
	DocumentPlan   = "plan"
	DocumentReport = "report"
)

// Document is a plan or a report as programs read it. Both have the same
// fields, so that a reader needs one shape: what a plan cannot know is empty.
// No list is ever null. Names are exact.
type Document struct {
	SchemaVersion int    `json:"schemaVersion"`
	Kind          string `json:"kind"`
	// Time is that of the plan: ages count back from it.
	Time   time.Time      `json:"time"`
	Store  StoreInfo      `json:"store"`
	Policy PolicyDocument `json:"policy"`
	Counts Counts         `json:"counts"`
	// Images are the decisions about all records of the pruned namespaces.
	Images []ImageDocument `json:"images"`
	// Untagged are the records that are gone.
	Untagged []Record `json:"untagged"`
	// Deleted are the blobs and snapshots that Reclaimed counts.
	Deleted []DeletedDocument `json:"deleted"`
	// Uploads are the decisions about unfinished uploads, if asked for, and
	// Aborted those that are gone.
	Uploads []Upload `json:"uploads"`
	Aborted []Upload `json:"aborted"`
	// Grace says until when a run can be undone, null if it cannot.
	Grace *Grace `json:"grace"`
	// Dropped are the records of a plan file that this plan leaves alone.
	Dropped []Skip `json:"dropped"`
	// Predicted comes from the plan, Reclaimed is measured after the run.
	Predicted Amount `json:"predicted"`
	Reclaimed Amount `json:"reclaimed"`
	// Garbage is what nothing held already before the run: in a plan what a
	// collection would take, in a report what it took.
	Garbage Amount `json:"garbage"`
	// Others is what went during the run without being in its plan.
	Others Amount `json:"others"`
	// Held is what stays of the images that go.
	Held      []Held      `json:"held"`
	Skipped   []Skip      `json:"skipped"`
	Restored  []Restored  `json:"restored"`
	Recovered []Recovered `json:"recovered"`
	// Unfinished are the namespaces in which a killed run waited to be
	// finished when the plan was made.
	Unfinished []string `json:"unfinished"`
	// Changes say why Reclaimed differs from Predicted.
	Changes []string  `json:"changes"`
	Notes   []string  `json:"notes"`
	Refused []Refusal `json:"refused"`
	// Elsewhere counts the images of namespaces that were not pruned.
	Elsewhere []NamespaceCount `json:"elsewhere"`
	// Interrupted, Untried, Measured and Verified are as in [Report].
	Interrupted bool     `json:"interrupted"`
	Untried     int      `json:"untried"`
	Measured    bool     `json:"measured"`
	Verified    bool     `json:"verified"`
	Errors      []string `json:"errors"`
}

// PolicyDocument is a [Policy] in a [Document].
type PolicyDocument struct {
	// Namespaces are those that were pruned, also if all were asked for.
	Namespaces    []string `json:"namespaces"`
	AllNamespaces bool     `json:"allNamespaces"`
	// Filters are in the canonical form of filters.Set.
	Filters          []string `json:"filters"`
	DanglingPrefixes []string `json:"danglingPrefixes"`
}

// Counts says how many records have each action. They add up to Images.
type Counts struct {
	Images  int `json:"images"`
	Remove  int `json:"remove"`
	StandIn int `json:"standIn"`
	Keep    int `json:"keep"`
}

// ImageDocument is a [Decision] in a [Document].
type ImageDocument struct {
	Record
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	Action    Action    `json:"action"`
	Cause
	// Details add to the cause.
	Details []Cause `json:"details"`
	// StandIn is the name of the record that takes this one's place.
	StandIn string `json:"standIn,omitempty"`
}

// DeletedDocument is a blob, by its digest, or a snapshot of a namespace, as
// "snapshotter/key", that is gone.
type DeletedDocument struct {
	Namespace string        `json:"namespace,omitempty"`
	Digest    digest.Digest `json:"digest,omitempty"`
	Snapshot  string        `json:"snapshot,omitempty"`
	Bytes     int64         `json:"bytes"`
}

// NamespaceCount is how many image records a namespace has.
type NamespaceCount struct {
	Namespace string `json:"namespace"`
	Images    int    `json:"images"`
}

// Document returns the plan for programs.
func (p *Plan) Document() Document {
	store := p.inventory.Store
	store.Snapshotters = list(store.Snapshotters)
	d := Document{
		SchemaVersion: DocumentSchema, Kind: DocumentPlan, Time: p.now,
		Store: store, Policy: p.policyDocument(),
		Predicted: p.Predicted(), Garbage: p.Garbage(), Held: list(p.outcome.held),
		Unfinished: list(p.Interrupted()), Notes: list(p.notes), Refused: list(p.refused),
		Images: []ImageDocument{}, Elsewhere: []NamespaceCount{},
		Untagged: []Record{}, Deleted: []DeletedDocument{},
		Uploads: list(p.uploads), Aborted: []Upload{}, Dropped: list(p.Dropped()),
		Skipped: []Skip{}, Restored: []Restored{},
		Recovered: []Recovered{}, Changes: []string{}, Errors: []string{},
	}
	for _, decision := range p.decisions {
		d.Counts.add(decision.Action)
		d.Images = append(d.Images, decision.document())
	}
	elsewhere := p.Elsewhere()
	for _, name := range slices.Sorted(maps.Keys(elsewhere)) {
		d.Elsewhere = append(d.Elsewhere, NamespaceCount{Namespace: name, Images: elsewhere[name]})
	}
	return d
}

// Document returns the report for programs.
func (r *Report) Document() Document {
	d := r.plan.Document()
	d.Kind = DocumentReport
	d.Untagged, d.Deleted = list(r.Untagged), r.deletedDocuments()
	d.Aborted, d.Grace = list(r.Aborted), r.Grace
	d.Reclaimed, d.Garbage, d.Others = r.Reclaimed, r.Garbage, r.Others
	d.Held, d.Skipped, d.Restored = list(r.Held), list(r.Skipped), list(r.Restored)
	for _, recovered := range r.Recovered {
		recovered.Untagged, recovered.Restored = list(recovered.Untagged), list(recovered.Restored)
		d.Recovered = append(d.Recovered, recovered)
	}
	d.Changes, d.Errors = list(r.Changes), list(r.Errors)
	d.Interrupted, d.Untried, d.Measured, d.Verified = r.Interrupted, r.Untried, r.Measured, r.Verified
	return d
}

// Nothing returns the report of a plan that needs no run because it is
// [Plan.Empty]: nothing was done.
func (p *Plan) Nothing() *Report {
	r := newReport(p)
	r.Measured = true
	return r
}

// list copies a list, never to nil, which JSON would call null.
func list[T any](items []T) []T { return append([]T{}, items...) }

func (p *Plan) policyDocument() PolicyDocument {
	d := PolicyDocument{
		Namespaces: make([]string, len(p.chosen)), AllNamespaces: p.policy.AllNamespaces,
		Filters: p.policy.Filters.Strings(), DanglingPrefixes: list(p.policy.DanglingPrefixes),
	}
	for i, ns := range p.chosen {
		d.Namespaces[i] = ns.Name
	}
	return d
}

func (c *Counts) add(action Action) {
	c.Images++
	switch action {
	case Remove:
		c.Remove++
	case StandIn:
		c.StandIn++
	default:
		c.Keep++
	}
}

func (d Decision) document() ImageDocument {
	return ImageDocument{Record: d.record(), CreatedAt: d.image.CreatedAt, UpdatedAt: d.image.UpdatedAt, Action: d.Action, Cause: d.Cause, Details: list(d.Details), StandIn: d.StandIn}
}

func (r *Report) deletedDocuments() []DeletedDocument {
	all := []DeletedDocument{}
	for _, dgst := range r.deleted.sortedBlobs() {
		all = append(all, DeletedDocument{Digest: dgst, Bytes: r.deleted.blobs[dgst]})
	}
	for _, id := range r.deleted.sortedSnapshots() {
		all = append(all, DeletedDocument{Namespace: id.Namespace, Snapshot: id.SnapshotKey.String(), Bytes: r.deleted.snapshots[id]})
	}
	return all
}
