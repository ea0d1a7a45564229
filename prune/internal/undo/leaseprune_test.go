package undo_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

var (
	leaseExpired      = cause.Plainly(cause.CodeLeaseExpired).Reason
	leaseExpiredSince = cause.Plainly(cause.CodeLeaseExpiredSince).Reason
)

func listed(s *tw.Scene) []undo.LeaseInfo {
	return tw.Must(undo.Leases(context.Background(), s.Store, time.Now(), read.ReadOptions{}))
}

func idsOf(list []undo.LeaseInfo) string {
	var texts []string
	for _, l := range list {
		texts = append(texts, l.Namespace+"/"+l.ID+": "+l.Reason)
	}
	return strings.Join(texts, ", ")
}

// An expired lease that is its owner's again, whenever it became that, is not
// touched, nor what it holds.
func TestRenewedLeaseStays(t *testing.T) {
	for _, when := range []string{"before", "at the first write"} {
		t.Run(when, func(t *testing.T) {
			s := tw.Stale(t)
			listed := listed(s)
			if listed[0].Action != rules.Remove || listed[0].Alone.Snapshots != 1 {
				t.Fatalf("listed %+v", listed)
			}
			renewed := false
			once := func(call string) error {
				if !renewed && (strings.HasPrefix(call, "lease ") || strings.HasPrefix(call, "free ")) {
					renewed = true
					s.Renew()
				}
				return nil
			}
			if when == "before" {
				tw.Must(0, once("lease "))
			}
			s.Tape.Before = once
			done := tw.Must(undo.PruneLeases(context.Background(), s.Tape, listed, run.ExecuteOptions{Now: time.Now}))
			if len(done.Removed) != 0 || len(done.Renewed) != 1 || done.Renewed[0].ID != "mount" {
				t.Errorf("%+v", done)
			}
			s.CheckMount(true)
			tw.CheckNothingOfOurs(t, s.Store)
		})
	}
}

// What has expired is collected in all namespaces, and told with what it held:
// also what somebody else has collected, and what expired since the listing.
func TestExpiredLeasesAreCollected(t *testing.T) {
	s := tw.Stale(t)
	other := store.InNamespace(context.Background(), "other")
	soon := time.Now().Add(time.Hour)
	tw.Must(0, tw.Blob("b").Create(other, s.Store))
	tw.Must(0, tw.Lease("elsewhere", tw.Expiring(time.Now().Add(-time.Hour)), tw.Holding(tw.TheBlob("b"))).Create(other, s.Store))
	s.Add(tw.Lease("soon", tw.Expiring(soon)), tw.Lease("ended", tw.Expiring(soon)), tw.Lease("lasting"), tw.Lease("gone", tw.Expiring(time.Now().Add(-time.Hour))))
	listed := slices.DeleteFunc(listed(s), func(l undo.LeaseInfo) bool { return l.Namespace == "other" })
	tw.Must(0, s.Store.Leases().Delete(s.Ctx, leases.Lease{ID: "gone"}))
	tw.Must(0, s.Store.Leases().Delete(s.Ctx, leases.Lease{ID: "ended"}))
	// The question waited until "soon" had expired; a collection meanwhile is
	// a deletion to this store, whose clock is the machine's.
	now := func() time.Time { return soon.Add(time.Minute) }
	s.Tape.After = func(call string) error {
		if strings.HasPrefix(call, "free ctr-prune-collect-") {
			tw.Must(0, s.Store.Leases().Delete(s.Ctx, leases.Lease{ID: "soon"}))
		}
		return nil
	}
	done := tw.Must(undo.PruneLeases(context.Background(), s.Tape, listed, run.ExecuteOptions{Now: now}))
	want := "default/gone: " + leaseExpired + ", default/mount: " + leaseExpired + ", default/soon: " + leaseExpiredSince + ", other/elsewhere: " + leaseExpired
	if diff := cmp.Diff(want, idsOf(done.Removed)); diff != "" || len(done.Renewed) != 0 {
		t.Errorf("renewed %v, removed (-want +got):\n%s", done.Renewed, diff)
	}
	if done.Reclaimed.Blobs != 1 || done.Reclaimed.Snapshots != 1 || done.Garbage != (inventory.Amount{}) {
		t.Errorf("reclaimed %+v, garbage %+v", done.Reclaimed, done.Garbage)
	}
	s.CheckMount(false)
	tw.CheckNothingOfOurs(t, s.Store)
}
