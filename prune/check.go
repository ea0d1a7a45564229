package prune

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
)

// Check looks for what users usually find too late. It only reads.
func Check(ctx context.Context, store Store, now time.Time, opts CheckOptions) (*Checked, error) {
	return check.Check(ctx, store, now, opts)
}

// Checked is what a check found, and what it could not look for.
type Checked = check.Checked

// CheckOptions are the parts of a check that are not in the store.
type CheckOptions = check.CheckOptions

// Finding is one thing that is not as it should be.
type Finding = check.Finding

// Problem is a sort of [Finding], and its code.
type Problem = check.Problem

// The problems that a check looks for.
const (
	ProblemIncomplete      = check.ProblemIncomplete
	ProblemForgotten       = check.ProblemForgotten
	ProblemForgottenFiles  = check.ProblemForgottenFiles
	ProblemForgottenUpload = check.ProblemForgottenUpload
	ProblemLost            = check.ProblemLost
	ProblemLostSnapshot    = check.ProblemLostSnapshot
	ProblemLostDatabase    = check.ProblemLostDatabase
	ProblemDamaged         = check.ProblemDamaged
	ProblemGarbage         = check.ProblemGarbage
	ProblemUnowned         = check.ProblemUnowned
	ProblemExpired         = check.ProblemExpired
	ProblemOldUpload       = check.ProblemOldUpload
	ProblemInterrupted     = check.ProblemInterrupted
	ProblemPhantom         = check.ProblemPhantom
	ProblemUnreadable      = check.ProblemUnreadable
)

// Repair mends the findings that can be mended without risk, and does no more
// than they call for: it finishes interrupted runs and aborts abandoned uploads
// in the namespaces where some were found. Then it asks containerd for a
// collection, also if nothing was found: it takes garbage and leases that have
// expired, and it alone makes containerd look for files of blobs that it does
// not know. What it mended is seen by checking again.
func Repair(ctx context.Context, store Store, findings []Finding, opts ExecuteOptions) (*Repaired, error) {
	return check.Repair(ctx, store, findings, opts)
}

// Repaired is what happened in a repair and is not seen by checking again.
type Repaired = check.Repaired
