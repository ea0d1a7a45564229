package leases

import (
	"time"

	"github.com/containerd/containerd/v2/core/leases"
)

const (
	// ExpireLabel has the time from which the collector no longer honours a lease.
	ExpireLabel = "containerd.io/gc.expire"

	labelFlat = "containerd.io/gc.flat"
)

// Expiry returns when containerd's collector stops to honour the lease; ok is
// false when it never does, which is also how the collector reads a label that
// is not an RFC 3339 time.
func Expiry(lease leases.Lease) (at time.Time, ok bool) {
	at, err := time.Parse(time.RFC3339, lease.Labels[ExpireLabel])
	return at, err == nil
}

// Flat says whether the lease holds its resources without what these refer to.
func Flat(lease leases.Lease) bool {
	_, ok := lease.Labels[labelFlat]
	return ok
}
