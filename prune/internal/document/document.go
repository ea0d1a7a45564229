package document

import (
	"maps"
	"slices"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// DocumentSchema is the version of [Document]. Fields may be added without a
// new version, but removing one or changing its meaning requires one.
const DocumentSchema = 1

// The kinds of [Document].
const (
	DocumentPlan   = "plan"
	DocumentReport = "report"
)

// Document is a plan or a report in JSON. Both have the same fields, so that a
// reader needs only one type; what is not known yet in a plan is empty. No list
// is ever null. Names are exact: they are not quoted or shortened. docs/json.md
// describes every field.
type Document struct {
	SchemaVersion int    `json:"schemaVersion"`
	Kind          string `json:"kind"`
	// Time is that of the plan: ages count back from it.
	Time   time.Time       `json:"time"`
	Store  store.StoreInfo `json:"store"`
	Policy PolicyDocument  `json:"policy"`
	Counts Counts          `json:"counts"`
	// Images are the decisions about all records of the pruned namespaces.
	Images []ImageDocument `json:"images"`
	// Untagged are the records that were deleted.
	Untagged []inventory.Record `json:"untagged"`
	// Deleted are the blobs and snapshots that Reclaimed counts.
	Deleted []DeletedDocument `json:"deleted"`
	// Uploads are the decisions about unfinished uploads, if asked for, and
	// Aborted those that are gone.
	Uploads []plan.Upload `json:"uploads"`
	Aborted []plan.Upload `json:"aborted"`
	// Grace says until when a run can be undone, null if it cannot.
	Grace *run.Grace `json:"grace"`
	// Dropped are the records of a plan file that this plan skips.
	Dropped []rules.Skip `json:"dropped"`
	// Predicted comes from the plan, Reclaimed is measured after the run.
	Predicted inventory.Amount `json:"predicted"`
	Reclaimed inventory.Amount `json:"reclaimed"`
	// RestBytes is what Predicted counts and is of no image that goes: killed runs,
	// graces that end and uploads held it.
	RestBytes int64 `json:"restBytes"`
	// Garbage is what was unreferenced already before the run: in a plan what a
	// collection would remove, in a report what it removed.
	Garbage inventory.Amount `json:"garbage"`
	// Others is what was freed during the run without being in its plan.
	Others inventory.Amount `json:"others"`
	// Relief is what the plan frees of what has to be freed, null if nobody asked.
	Relief *plan.Relief `json:"relief"`
	// Held is what is kept of the removed images.
	Held      []plan.Held     `json:"held"`
	Skipped   []rules.Skip    `json:"skipped"`
	Restored  []run.Restored  `json:"restored"`
	Recovered []run.Recovered `json:"recovered"`
	// Unfinished are the namespaces in which a killed run waited to be
	// finished when the plan was made.
	Unfinished []string `json:"unfinished"`
	// Changes say why Reclaimed differs from Predicted.
	Changes []cause.Cause  `json:"changes"`
	Notes   []cause.Cause  `json:"notes"`
	Refused []plan.Refusal `json:"refused"`
	// Elsewhere counts the images of namespaces that were not pruned.
	Elsewhere []NamespaceCount `json:"elsewhere"`
	// Stall is how long at most others waited for a garbage collection, in seconds.
	Stall float64 `json:"stall"`
	// Interrupted, Untried, Measured and Verified are as in [run.Report].
	Interrupted bool `json:"interrupted"`
	Untried     int  `json:"untried"`
	Measured    bool `json:"measured"`
	Verified    bool `json:"verified"`
	// Errors are what failed, in the words of the errors.
	Errors []cause.Cause `json:"errors"`
}

// PolicyDocument is a [rules.Policy] in a [Document].
type PolicyDocument struct {
	// Namespaces are those that were pruned, also if all were asked for.
	Namespaces    []string `json:"namespaces"`
	AllNamespaces bool     `json:"allNamespaces"`
	// Filters are in the canonical form of filters.Set.
	Filters          []string `json:"filters"`
	DanglingPrefixes []string `json:"danglingPrefixes"`
	// Retention is the policy file, in the form of one and with the patterns of the
	// files that it names.
	Retention *retention.Policy `json:"retention,omitempty"`
	// UseWatchedSince is from when on it has been watched without a gap when images
	// are used, absent if nobody watches.
	UseWatchedSince time.Time `json:"useWatchedSince,omitzero"`
}

// Counts is how many records have each action. The numbers add up to Images.
type Counts struct {
	Images  int `json:"images"`
	Remove  int `json:"remove"`
	StandIn int `json:"standIn"`
	Keep    int `json:"keep"`
}

// ImageDocument is a [rules.Decision] in a [Document].
type ImageDocument struct {
	inventory.Record
	CreatedAt time.Time    `json:"createdAt"`
	UpdatedAt time.Time    `json:"updatedAt"`
	Action    rules.Action `json:"action"`
	cause.Cause
	// Details add to the cause.
	Details []cause.Cause `json:"details"`
	// StandIn is the name of the record that takes this one's place.
	StandIn string `json:"standIn,omitempty"`
	// SizeBytes is all that the image consists of, each object once. It is the same of
	// all of its names.
	SizeBytes int64 `json:"sizeBytes,omitempty"`
	// SizeAtLeast says that SizeBytes is a lower bound: not all was measured, or
	// images refer to each other in more ways than are followed.
	SizeAtLeast bool `json:"sizeAtLeast,omitempty"`
	// FreesBytes is what the image adds to what is freed. Of several names that go only
	// the one has it that people know best, so that all of them and RestBytes add up to
	// Predicted.
	FreesBytes int64 `json:"freesBytes,omitempty"`
	// Named says that a filter names the record by id=.
	Named bool `json:"named,omitempty"`
	LastUseDocument
}

// LastUseDocument is the last use of an image that is known. It is empty where none
// is.
type LastUseDocument struct {
	// LastUsedAt is when somebody used it last: the time of the plan if somebody does.
	LastUsedAt time.Time `json:"lastUsedAt,omitzero"`
	// LastUsedBy is who did, in words.
	LastUsedBy string `json:"lastUsedBy,omitempty"`
}

// DeletedDocument is a deleted blob, named by its digest, or a deleted snapshot
// of a namespace, named "snapshotter/key".
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

// PlanDocument returns the plan in the form in which programs read it as JSON.
func PlanDocument(p *plan.Plan) Document {
	store := p.Inventory.Store
	store.Snapshotters = List(store.Snapshotters)
	d := Document{
		SchemaVersion: DocumentSchema, Kind: DocumentPlan, Time: p.Now,
		Store: store, Policy: policyDocument(p),
		Predicted: p.Predicted(), Garbage: p.Garbage(), Held: List(p.Outcome.Held), Relief: p.Relief,
		Unfinished: List(p.Interrupted()), Notes: List(p.Notes), Refused: List(p.Refused),
		Images: []ImageDocument{}, Elsewhere: []NamespaceCount{},
		Untagged: []inventory.Record{}, Deleted: []DeletedDocument{},
		Uploads: List(p.Uploads), Aborted: []plan.Upload{}, Dropped: List(p.Dropped()),
		Skipped: []rules.Skip{}, Restored: []run.Restored{},
		Recovered: []run.Recovered{}, Changes: []cause.Cause{}, Errors: []cause.Cause{},
	}
	for _, decision := range p.Decisions {
		d.Counts.add(decision.Action)
		d.Images = append(d.Images, imageOf(p, decision))
	}
	d.RestBytes = p.Weights.RestBytes()
	elsewhere := p.Elsewhere()
	for _, name := range slices.Sorted(maps.Keys(elsewhere)) {
		d.Elsewhere = append(d.Elsewhere, NamespaceCount{Namespace: name, Images: elsewhere[name]})
	}
	d.Notes = append(d.Notes, cause.Failures(cause.CodeFuse, p.Fuse)...)
	return d
}

// imageOf is a decision with what its image weighs.
func imageOf(p *plan.Plan, decision rules.Decision) ImageDocument {
	image := DocumentOf(decision)
	weight := p.Weights.Of(decision.Namespace, decision.Target.Digest)
	image.SizeBytes, image.SizeAtLeast = weight.SizeBytes, weight.AtLeast
	if decision.Gone() && decision.Name == weight.Name {
		image.FreesBytes = weight.FreesBytes
	}
	return image
}

// ReportDocument returns the report in the form in which programs read it as
// JSON.
func ReportDocument(r *run.Report) Document {
	d := PlanDocument(r.Plan)
	d.Kind, d.Notes = DocumentReport, List(r.Plan.Notes) // a fuse is an error of the run
	d.Untagged, d.Deleted = List(r.Untagged), deletedDocuments(r)
	d.Aborted, d.Grace = List(r.Aborted), r.Grace
	d.Reclaimed, d.Garbage, d.Others = r.Reclaimed, r.Garbage, r.Others
	d.Held, d.Skipped, d.Restored = List(r.Held), List(r.Skipped), List(r.Restored)
	for _, recovered := range r.Recovered {
		recovered.Untagged, recovered.Restored = List(recovered.Untagged), List(recovered.Restored)
		d.Recovered = append(d.Recovered, recovered)
	}
	d.Changes, d.Errors = List(r.Changes), List(r.Errors)
	d.Stall = r.Stall.Seconds()
	d.Interrupted, d.Untried, d.Measured, d.Verified = r.Interrupted, r.Untried, r.Measured, r.Verified
	return d
}

// List copies a list, never to nil, which JSON would call null.
func List[T any](items []T) []T { return append([]T{}, items...) }

func policyDocument(p *plan.Plan) PolicyDocument {
	d := PolicyDocument{
		Namespaces: make([]string, len(p.Chosen)), AllNamespaces: p.Policy.AllNamespaces,
		Filters: p.Policy.Filters.Strings(), DanglingPrefixes: List(p.Policy.DanglingPrefixes),
		Retention: p.Policy.Retention, UseWatchedSince: p.Policy.LastUse.Since(p.Now),
	}
	for i, ns := range p.Chosen {
		d.Namespaces[i] = ns.Name
	}
	return d
}

func (c *Counts) add(action rules.Action) {
	c.Images++
	switch action {
	case rules.Remove:
		c.Remove++
	case rules.StandIn:
		c.StandIn++
	default:
		c.Keep++
	}
}

// DocumentOf returns a decision for programs.
func DocumentOf(d rules.Decision) ImageDocument {
	return ImageDocument{Record: d.Record(), CreatedAt: d.Image.CreatedAt, UpdatedAt: d.Image.UpdatedAt, Action: d.Action, Cause: d.Cause, Details: List(d.Details), StandIn: d.StandIn, Named: d.Named,
		LastUseDocument: LastUseDocument{LastUsedAt: d.LastUse.At, LastUsedBy: d.LastUse.By}}
}

func deletedDocuments(r *run.Report) []DeletedDocument {
	all := []DeletedDocument{}
	for _, dgst := range r.Deleted.SortedBlobs() {
		all = append(all, DeletedDocument{Digest: dgst, Bytes: r.Deleted.Blobs[dgst]})
	}
	for _, id := range r.Deleted.SortedSnapshots() {
		all = append(all, DeletedDocument{Namespace: id.Namespace, Snapshot: id.SnapshotKey.String(), Bytes: inventory.Known(r.Deleted.Snapshots[id])})
	}
	return all
}
