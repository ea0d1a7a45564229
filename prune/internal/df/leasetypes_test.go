package df

import (
	"testing"

	"github.com/ctr-prune/ctr-prune/leases"
)

// Leases are told apart by whose they are.
func TestTypeOfLease(t *testing.T) {
	for kind, want := range map[leases.Kind]HolderClass{
		leases.KindCache: HeldByBuilds, leases.KindView: HeldByBuilds, leases.KindBuild: HeldByBuilds, leases.KindHistory: HeldByBuilds,
		leases.KindDocker: HeldByContainers, leases.KindMount: HeldByContainers, leases.KindPod: HeldByContainers,
		leases.KindGrace: HeldByGrace, leases.KindOther: HeldByLeases,
	} {
		if got := typeOfLease(kind); got != want {
			t.Errorf("a lease of kind %v is of type %q, want %q", kind, got, want)
		}
	}
}
