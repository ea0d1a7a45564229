package leases

import (
	"testing"

	"github.com/containerd/containerd/v2/core/leases"
)

// A lease is the grace of a run only if both its ID and its label say so.
func TestGraceOf(t *testing.T) {
	labels := map[string]string{RunLabel: "r"}
	for _, c := range []struct {
		lease leases.Lease
		want  bool
	}{
		{leases.Lease{ID: KindGrace.ID("r"), Labels: labels}, true},
		{leases.Lease{ID: RunID, Labels: labels}, false},
		{leases.Lease{ID: KindGrace.ID("other"), Labels: labels}, false},
		{leases.Lease{ID: KindGrace.ID("r")}, false},
	} {
		if run, ok := GraceOf(c.lease); ok != c.want || ok && run != "r" {
			t.Errorf("%+v is the grace of %q, %v", c.lease, run, ok)
		}
	}
}

// What a lease of a kind is called tells the kind.
func TestID(t *testing.T) {
	for _, kind := range []Kind{KindRun, KindClaim, KindGrace, KindCollect, KindUndo} {
		if got := KindOf(leases.Lease{ID: kind.ID("r")}); got != kind {
			t.Errorf("lease %q is of kind %q, want %q", kind.ID("r"), got, kind)
		}
	}
}
