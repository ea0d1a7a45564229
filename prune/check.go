package prune

import (
	"context"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
)

// Check looks for problems in the store: incomplete images, lost or leftover
// files, garbage, expired leases, abandoned uploads, interrupted runs. It only
// reads.
func Check(ctx context.Context, store Store, now time.Time, opts CheckOptions) (*Checked, error) {
	return check.Check(ctx, store, now, opts)
}

// Checked is the result of a check: what it found, and what it could not check.
type Checked = check.Checked

// CheckOptions are the inputs of a check that do not come from the store.
type CheckOptions = check.CheckOptions

// Finding is one problem that a check found.
type Finding = check.Finding

// Problem is a kind of [Finding], and its code in JSON.
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
	ProblemLookalike       = check.ProblemLookalike
)

// Repair fixes the findings that can be fixed without risk, and does no more
// than they require: it finishes interrupted runs and aborts abandoned uploads
// in the namespaces where some were found. Then it requests a garbage
// collection, even if nothing was found: the collection removes garbage and
// expired leases, and nothing else makes containerd look for leftover files of
// blobs. Check again to see what was fixed.
func Repair(ctx context.Context, store Store, findings []Finding, opts ExecuteOptions) (*Repaired, error) {
	return check.Repair(ctx, store, findings, opts)
}

// Repaired is what a repair did that another check does not show.
type Repaired = check.Repaired
