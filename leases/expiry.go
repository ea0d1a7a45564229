package leases

import (
	"time"

	"github.com/containerd/containerd/v2/core/leases"
)

const (
	// ExpireLabel is the label with the time, in RFC 3339, after which garbage
	// collection no longer honours a lease.
	ExpireLabel = "containerd.io/gc.expire"

	labelFlat = "containerd.io/gc.flat"
)

// Expiry returns when containerd's garbage collection stops honouring the
// lease. ok is false if it never does; the collector treats a label that is not
// an RFC 3339 time in the same way.
func Expiry(lease leases.Lease) (at time.Time, ok bool) {
	at, err := time.Parse(time.RFC3339, lease.Labels[ExpireLabel])
	return at, err == nil
}

// Flat reports whether the lease holds only the resources that it lists, and
// not what these refer to.
func Flat(lease leases.Lease) bool {
	_, ok := lease.Labels[labelFlat]
	return ok
}
