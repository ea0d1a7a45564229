package leases

import (
	"strings"

	"github.com/containerd/containerd/v2/core/leases"
)

// Kind is the sort of client that a lease belongs to, as far as its ID and
// labels tell.
type Kind string

// The kinds of lease. The rules were read in the sources of the clients.
const (
	KindRun     Kind = "ctr-prune run"
	KindClaim   Kind = "ctr-prune takeover"
	KindGrace   Kind = "ctr-prune grace"
	KindHistory Kind = "build history" // buildkit: ID ref_<build>
	KindCache   Kind = "build cache"   // buildkit: flat, never expires
	KindPull    Kind = "pull or build in progress"
	KindOther   Kind = "other client"
)

// KindOf tells the kind of a lease.
func KindOf(lease leases.Lease) Kind {
	_, expires := Expiry(lease)
	switch {
	case lease.ID == RunID:
		return KindRun
	case strings.HasPrefix(lease.ID, claimPrefix):
		return KindClaim
	case strings.HasPrefix(lease.ID, gracePrefix):
		return KindGrace
	case strings.HasPrefix(lease.ID, "ref_") && !expires:
		return KindHistory
	case Flat(lease) && !expires:
		return KindCache
	case expires:
		return KindPull
	default:
		return KindOther
	}
}

// Ours says whether the lease is a lock of this package's, and not the grace
// of a run that has ended.
func Ours(lease leases.Lease) bool {
	kind := KindOf(lease)
	return kind == KindRun || kind == KindClaim
}
