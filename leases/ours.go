package leases

import (
	"strings"

	"github.com/containerd/containerd/v2/core/leases"
)

const (
	// RunID is the ID of the lease that a run holds in each namespace it changes.
	// It is the same for all runs, so only one run at a time can change a
	// namespace.
	RunID = "ctr-prune"
	// RunLabel is the label with the name of the run that a lease of ctr-prune
	// belongs to.
	RunLabel = "ctr-prune/run"
)

// prefixes are what the IDs of ctr-prune's other leases begin with; the name of
// the run follows.
var prefixes = map[Kind]string{
	KindClaim:   "ctr-prune-takeover-",
	KindGrace:   "ctr-prune-grace-",
	KindCollect: "ctr-prune-collect-",
	KindUndo:    "ctr-prune-undo-",
}

// ID returns the ID of the lease of kind k that belongs to a run. It is only
// meaningful for ctr-prune's own kinds.
func (k Kind) ID(run string) string {
	if k == KindRun {
		return RunID
	}
	return prefixes[k] + run
}

// Ours reports whether ctr-prune has leases of this kind only while a run is in
// progress. The lease of a grace period is not one of them.
func (k Kind) Ours() bool { return k == KindRun || k == KindClaim || k == KindCollect }

// GraceOf returns the name of the run whose grace period the lease implements:
// it holds what that run removed until the period ends. ok is false for all
// other leases.
func GraceOf(lease leases.Lease) (run string, ok bool) {
	run, ok = lease.Labels[RunLabel]
	return run, ok && lease.ID == KindGrace.ID(run)
}

// kindOfOurs returns the kind of a lease of ctr-prune by its ID.
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
