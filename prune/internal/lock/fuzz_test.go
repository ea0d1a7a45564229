package lock

import (
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/google/go-cmp/cmp"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// The seeds are in testdata/fuzz. To look for more: go test -fuzz FuzzLease ./prune/internal/lock

// Whatever a lease's ID and labels hold, it is of one kind, only ours are taken
// for ours, and what is read of a run is written and read again as the same.
func FuzzLease(f *testing.F) {
	f.Fuzz(func(t *testing.T, id, name, owner, expire, flat string) {
		lease := leases.Lease{ID: id, CreatedAt: noon, Labels: map[string]string{ours.RunLabel: name, ownerLabel: owner, ours.ExpireLabel: expire}}
		if flat != "" {
			lease.Labels["containerd.io/gc.flat"] = flat
		}
		at, expires := ours.Expiry(lease)
		if _, err := time.Parse(time.RFC3339, expire); (err == nil) != expires || !expires && !at.IsZero() {
			t.Errorf("%q expires: %v, at %v", expire, expires, at)
		}
		run, ok := ParseRun(lease)
		if !ok || run.Name != name {
			t.Fatalf("run %q is read as %+v", name, run)
		}
		if want := id == ours.RunID || strings.HasPrefix(id, ours.KindClaim.ID("")) || strings.HasPrefix(id, ours.KindCollect.ID("")); ours.KindOf(lease).Ours() != want {
			t.Errorf("lease %q is of kind %q", id, ours.KindOf(lease))
		}
		if grace, ok := ours.GraceOf(lease); ok && (id != ours.KindGrace.ID(grace) || grace != name) {
			t.Errorf("lease %q is the grace of %q", id, grace)
		}
		if run.Owner.PID == 0 && run.Owner.BootID == "" && !expires && (Locker{}).Over(run, noon) {
			t.Errorf("a run of nobody knows whom is over: %+v", run)
		}
		back, _ := ParseRun(leases.Lease{ID: id, CreatedAt: noon, Labels: run.labels()})
		if run.Expires.IsZero() || run.Expires.Year() < 0 || run.Expires.UTC().Year() > 9999 {
			return // what has no time is written with one
		}
		if diff := cmp.Diff(run.Owner, back.Owner); diff != "" || !run.Expires.Truncate(time.Second).Equal(back.Expires) {
			t.Errorf("written and read again: %s, %v and %v", diff, run.Expires, back.Expires)
		}
	})
}
