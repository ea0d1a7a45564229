package leases

import (
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
)

func TestExpiry(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2026-11-21T12:00:00Z":      noon,
		"2026-11-21T13:00:00+01:00": noon,
		"2026-11-21":                {},
		"soon":                      {},
		"":                          {},
	} {
		at, ok := Expiry(leases.Lease{Labels: map[string]string{ExpireLabel: text}})
		if !at.Equal(want) || ok == want.IsZero() {
			t.Errorf("%q expires at %v, %v", text, at, ok)
		}
	}
	if _, ok := Expiry(leases.Lease{}); ok {
		t.Error("a lease without labels expires")
	}
}
