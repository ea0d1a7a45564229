package run

import (
	"fmt"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// Report is what a run did, as measured afterwards.
type Report struct {
	Plan *plan.Plan

	// Untagged are the records that are gone, sorted.
	Untagged []inventory.Record
	// Aborted are the abandoned uploads that are gone.
	Aborted []plan.Upload
	// Skipped are the planned records that were left alone, and why.
	Skipped []rules.Skip
	// Restored are the records that were put back because something needed
	// them by the end of the run.
	Restored []Restored
	// Recovered are the killed runs that this one finished.
	Recovered []Recovered

	// Grace, if not nil, says until when everything can be put back; nothing
	// is reclaimed before.
	Grace *Grace
	// Reclaimed is what is gone because of this run, read after it.
	Reclaimed inventory.Amount
	// Garbage is what was gone already before for everybody, and was
	// collected on the way.
	Garbage inventory.Amount
	// Others is what went while the run lasted without being in its plan.
	Others inventory.Amount
	// Held lists what of the removed images is still there, with its holder.
	Held []plan.Held
	// Changes say what made the reclaimed differ from the predicted.
	Changes []cause.Cause
	// Interrupted says that deleting was stopped early, and that something is
	// left of the plan.
	Interrupted bool
	// Untried counts the planned records that the run did not come to, as it
	// was interrupted or its server went away (see [GoneError]).
	Untried int
	// Measured says that the store was read again after the collection. If
	// not, nothing is counted.
	Measured bool
	// Verified says that the blobs were also looked for on the disk.
	Verified bool
	// Errors are all errors, as texts with their codes.
	Errors []cause.Cause

	Deleted inventory.Objects
}

// Grace is the time in which a run can be undone.
type Grace struct {
	Run   string    `json:"run"`
	Until time.Time `json:"until"`
}

// Restored is a record that a run or an undo restored.
type Restored struct {
	Namespace string        `json:"namespace"`
	Name      string        `json:"name"`
	Target    digest.Digest `json:"target"`
	cause.Cause
}

// Recovered is a killed run that this run finished.
type Recovered struct {
	Namespace string             `json:"namespace"`
	Run       string             `json:"run"`
	Owner     string             `json:"owner"`
	Started   time.Time          `json:"started"`
	Untagged  []inventory.Record `json:"untagged"`
	Restored  []Restored         `json:"restored"`
}

// NewReport is the report of a run that has done nothing yet.
func NewReport(p *plan.Plan) *Report { return &Report{Plan: p, Deleted: inventory.NewObjects()} }

func (r *Report) skip(d rules.Decision, why cause.Cause) {
	r.Skipped = append(r.Skipped, rules.Skip{Record: d.Record(), Cause: why})
}

// DeletedBlobs are the blobs that Reclaimed counts, sorted.
func (r *Report) DeletedBlobs() []digest.Digest { return r.Deleted.SortedBlobs() }

// DeletedSnapshots are the snapshots that Reclaimed counts, as
// "namespace/snapshotter/key", sorted.
func (r *Report) DeletedSnapshots() []string {
	ids := r.Deleted.SortedSnapshots()
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = fmt.Sprintf("%s/%s", id.Namespace, id.SnapshotKey)
	}
	return names
}
