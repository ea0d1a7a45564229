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

	// Untagged are the records that were removed, sorted.
	Untagged []inventory.Record
	// Aborted are the abandoned uploads that were aborted.
	Aborted []plan.Upload
	// Skipped are the planned records that were left alone, and why.
	Skipped []rules.Skip
	// Restored are the records that were restored because something needed
	// them by the end of the run.
	Restored []Restored
	// Recovered are the killed runs that this one finished.
	Recovered []Recovered

	// Grace, if not nil, says until when everything can be restored; nothing
	// is reclaimed before that.
	Grace *Grace
	// Reclaimed is what this run freed, measured afterwards.
	Reclaimed inventory.Amount
	// Garbage is what nothing referred to even before the run, and what
	// containerd did not know, as far as the collection removed it.
	Garbage inventory.Amount
	// Others is what disappeared during the run without being in its plan.
	Others inventory.Amount
	// Held lists what of the removed images is still there, with its holder.
	Held []plan.Held
	// Changes say what made the reclaimed differ from the predicted.
	Changes []cause.Cause
	// Stall is how long at most others had to wait for a garbage collection of the
	// run: its whole time, if that is all that is known.
	Stall time.Duration
	// Interrupted says that deleting was stopped early, and that something is
	// left of the plan.
	Interrupted bool
	// Untried counts the planned records that the run did not try, because it
	// was interrupted or containerd stopped answering (see [GoneError]).
	Untried int
	// Measured says that the store was read again after the collection. If
	// not, nothing is counted.
	Measured bool
	// Verified says that blobs and snapshots were also looked for on the disk.
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

// Event is something that a run has just done. Whether it is final is in the
// report.
type Event struct {
	// Untagged is the record that was deleted.
	Untagged inventory.Record
}
