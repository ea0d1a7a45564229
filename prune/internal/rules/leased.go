package rules

import (
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// leased finds the records that live leases hold, and for each the first such
// lease. A pull or a build makes its record under its lease: until the client
// lets go, nothing of the image could be freed, and with its record gone the
// image would be lost when the client is done.
func leased(ns *inventory.Namespace, v gc.Release, now time.Time) map[string]string {
	held := make(map[string]string)
	if !v.AtLeast(gc.ImagesAreNodes) {
		return held
	}
	for _, lease := range ns.Leases {
		if at, expires := leases.Expiry(lease.Lease); expires && now.After(at) {
			continue
		}
		for _, resource := range lease.Resources {
			if _, known := held[resource.ID]; !known && resource.Type == "images" {
				held[resource.ID] = lease.ID
			}
		}
	}
	return held
}
