package leases

import (
	"strings"

	"github.com/containerd/containerd/v2/core/leases"
)

const (
	// RunID is the ID of the lease that a run has in each namespace which it
	// changes. It is the same for all runs, so that there is one at a time.
	RunID = "ctr-prune"
	// RunLabel has the name of the run that a lease of ours belongs to.
	RunLabel = "ctr-prune/run"
)

// prefixes and the name of a run make the IDs of our other leases.
var prefixes = map[Kind]string{
	KindClaim:   "ctr-prune-takeover-",
	KindGrace:   "ctr-prune-grace-",
	KindCollect: "ctr-prune-collect-",
	KindUndo:    "ctr-prune-undo-",
}

// ID is that of the lease of our kind k that belongs to a run. The kinds of
// others have none.
func (k Kind) ID(run string) string {
	if k == KindRun {
		return RunID
	}
	return prefixes[k] + run
}

// Ours says whether a run of ours has such leases only while it lasts. The grace
// of a run that has ended is none of these.
func (k Kind) Ours() bool { return k == KindRun || k == KindClaim || k == KindCollect }

// GraceOf returns the name of the run whose grace a lease is: it keeps what that
// run removed until then.
func GraceOf(lease leases.Lease) (run string, ok bool) {
	run, ok = lease.Labels[RunLabel]
	return run, ok && lease.ID == KindGrace.ID(run)
}

// kindOfOurs tells the kind of a lease by the ID that we give it.
func kindOfOurs(id string) (Kind, bool) {
	if id == RunID {
		return KindRun, true
	}
	for kind, prefix := range prefixes {
		if strings.HasPrefix(id, prefix) {
			return kind, true
		}
	}
	return "", false
}
