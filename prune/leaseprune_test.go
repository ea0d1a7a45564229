package prune

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// stale is a store in which a lease has expired that holds a writable snapshot.
func stale(t *testing.T) *scene {
	return newScene(t, world{"default": {
		blob("a"), record("x:1", "a"), active("mount", ""),
		lease("mount", expiring(time.Now().Add(-time.Hour)), holding(theSnapshot("memory", "mount"))),
	}})
}

// renew is what the owner of the lease does when a collection has taken it: it
// makes the lease and the snapshot again.
func (s *scene) renew() {
	s.collect()
	s.add(active("mount", ""), lease("mount", holding(theSnapshot("memory", "mount"))))
}

func (s *scene) listed() []undo.LeaseInfo {
	return must(undo.Leases(context.Background(), s.store, time.Now(), read.ReadOptions{}))
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
			s := stale(t)
			listed := s.listed()
			if listed[0].Action != rules.Remove || listed[0].Alone.Snapshots != 1 {
				t.Fatalf("listed %+v", listed)
			}
			renewed := false
			once := func(call string) error {
				if !renewed && (strings.HasPrefix(call, "lease ") || strings.HasPrefix(call, "free ")) {
					renewed = true
					s.renew()
				}
				return nil
			}
			if when == "before" {
				must(0, once("lease "))
			}
			s.tape.before = once
			done := must(undo.PruneLeases(context.Background(), s.tape, listed, run.ExecuteOptions{Now: time.Now}))
			if len(done.Removed) != 0 || len(done.Renewed) != 1 || done.Renewed[0].ID != "mount" {
				t.Errorf("%+v", done)
			}
			s.checkMount(true)
			checkNothingOfOurs(t, s.store)
		})
	}
}

// checkMount looks whether the lease and its snapshot are there.
func (s *scene) checkMount(want bool) {
	s.t.Helper()
	_, err := s.store.Snapshotter("memory").Stat(s.ctx, "mount")
	leased := slices.ContainsFunc(must(s.store.Leases().List(s.ctx)), func(l leases.Lease) bool { return l.ID == "mount" })
	if there := err == nil; there != want || leased != want {
		s.t.Errorf("the snapshot is there: %v, the lease: %v, want %v", there, leased, want)
	}
}

// What has expired is collected in all namespaces, and told with what it held:
// also what somebody else has collected, and what expired since the listing.
func TestExpiredLeasesAreCollected(t *testing.T) {
	s := stale(t)
	other := store.InNamespace(context.Background(), "other")
	soon := time.Now().Add(time.Hour)
	must(0, blob("b").create(other, s.store))
	must(0, lease("elsewhere", expiring(time.Now().Add(-time.Hour)), holding(theBlob("b"))).create(other, s.store))
	s.add(lease("soon", expiring(soon)), lease("ended", expiring(soon)), lease("lasting"), lease("gone", expiring(time.Now().Add(-time.Hour))))
	listed := slices.DeleteFunc(s.listed(), func(l undo.LeaseInfo) bool { return l.Namespace == "other" })
	must(0, s.store.Leases().Delete(s.ctx, leases.Lease{ID: "gone"}))
	must(0, s.store.Leases().Delete(s.ctx, leases.Lease{ID: "ended"}))
	// The question waited until "soon" had expired; a collection meanwhile is
	// a deletion to this store, whose clock is the machine's.
	now := func() time.Time { return soon.Add(time.Minute) }
	s.tape.after = func(call string) error {
		if strings.HasPrefix(call, "free ctr-prune-collect-") {
			must(0, s.store.Leases().Delete(s.ctx, leases.Lease{ID: "soon"}))
		}
		return nil
	}
	done := must(undo.PruneLeases(context.Background(), s.tape, listed, run.ExecuteOptions{Now: now}))
	want := "default/gone: " + leaseExpired + ", default/mount: " + leaseExpired + ", default/soon: " + leaseExpiredSince + ", other/elsewhere: " + leaseExpired
	if diff := cmp.Diff(want, idsOf(done.Removed)); diff != "" || len(done.Renewed) != 0 {
		t.Errorf("renewed %v, removed (-want +got):\n%s", done.Renewed, diff)
	}
	if done.Reclaimed.Blobs != 1 || done.Reclaimed.Snapshots != 1 || done.Garbage != (inventory.Amount{}) {
		t.Errorf("reclaimed %+v, garbage %+v", done.Reclaimed, done.Garbage)
	}
	s.checkMount(false)
	checkNothingOfOurs(t, s.store)
}

// A repair leaves a lease alone that was renewed since the check, and says so.
func TestRepairLeavesRenewedLeases(t *testing.T) {
	s := stale(t)
	found := must(check.Check(context.Background(), s.store, time.Now(), check.CheckOptions{}))
	renewed := false
	s.tape.before = func(call string) error {
		if !renewed && (strings.HasPrefix(call, "lease ") || strings.HasPrefix(call, "free ")) {
			renewed = true
			s.renew()
		}
		return nil
	}
	repaired := must(check.Repair(context.Background(), s.tape, found, run.ExecuteOptions{Now: time.Now}))
	if len(repaired.Renewed) != 1 || repaired.Renewed[0].ID != "mount" || len(repaired.Expired) != 0 {
		t.Errorf("%+v", repaired)
	}
	s.checkMount(true)
}

// A repair writes what its trigger takes and no more: no snapshot where nothing
// was found of snapshots, no run lease where no run was interrupted.
func TestRepairDoesWhatIsCalledFor(t *testing.T) {
	for name, test := range map[string]struct {
		found     []check.Finding
		snapshots bool
	}{
		"nothing":           {nil, false},
		"a forgotten blob":  {[]check.Finding{{Problem: check.ProblemForgotten, Repairable: true}}, false},
		"another snapshot":  {[]check.Finding{{Problem: check.ProblemUnowned, Repairable: true, Snapshotters: []string{"not loaded"}}}, false},
		"a snapshot":        {[]check.Finding{{Problem: check.ProblemUnowned, Repairable: true, Snapshotters: []string{"memory"}}}, true},
		"garbage, of blobs": {[]check.Finding{{Problem: check.ProblemGarbage, Repairable: true}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, world{"default": {blob("a"), record("x:1", "a")}, "moby": {}, "aaa_history": {}})
			prepared := false
			s.tape.after = func(call string) error {
				if strings.HasPrefix(call, "lease ") {
					for _, ns := range []string{"moby", "aaa_history"} {
						if left := must(s.store.Leases().List(store.InNamespace(context.Background(), ns))); len(left) > 0 {
							t.Errorf("in %s: %v", ns, left)
						}
					}
				}
				return nil
			}
			s.tape.before = func(call string) error {
				if strings.HasPrefix(call, "free ") {
					must(0, s.store.Snapshotter("memory").Walk(s.ctx, func(context.Context, snapshots.Info) error { prepared = true; return nil }))
				}
				return nil
			}
			must(check.Repair(context.Background(), s.tape, test.found, run.ExecuteOptions{Now: time.Now}))
			if prepared != test.snapshots {
				t.Errorf("a snapshot was made: %v, want %v", prepared, test.snapshots)
			}
			calls := slices.DeleteFunc(s.tape.calls, func(call string) bool { return call == "look" })
			if len(calls) != 3 || !strings.HasPrefix(calls[0], "lease ctr-prune-collect-") || calls[1] != "write" || calls[2] != strings.Replace(calls[0], "lease", "free", 1)+" and collect" {
				t.Errorf("it did %q", calls)
			}
			checkNothingOfOurs(t, s.store)
		})
	}
}

// A collection is asked for where nobody is in the way.
func TestQuietNamespace(t *testing.T) {
	id := strings.Repeat("1a", 32)
	docker := []inventory.Lease{{Lease: leases.Lease{ID: id}, Resources: []leases.Resource{theSnapshot("overlayfs", id), theSnapshot("overlayfs", id+"-init")}}}
	for want, names := range map[string]string{
		"default":  "buildkit buildkit_history default docker k8s.io moby",
		"zzz":      "buildkit buildkit_history k8s.io moby zzz",
		"k8s.io":   "k8s.io moby moby_history",
		"buildkit": "buildkit buildkit_history moby",
		"":         "docker moby moby_history",
	} {
		inv := &inventory.Inventory{}
		for name := range strings.FieldsSeq(names) {
			ns := &inventory.Namespace{Name: name}
			if name == "docker" {
				ns.Leases = docker
			}
			inv.Namespaces = append(inv.Namespaces, ns)
		}
		if got, found := run.QuietNamespace(inv); got != want || found != (want != "") {
			t.Errorf("of %s: %q, want %q", names, got, want)
		}
	}
}

// Where there is none but Docker's, one is made, and is gone afterwards.
func TestOwnNamespace(t *testing.T) {
	for _, w := range []world{{}, {"moby": {blob("a"), record("x:1", "a")}, "moby_history": {}}} {
		s := newScene(t, w)
		before := must(s.store.Namespaces(s.ctx))
		var where []string
		s.tape.after = func(call string) error {
			if strings.HasPrefix(call, "lease ") {
				where = append(where, must(s.store.Namespaces(s.ctx))...)
			}
			return nil
		}
		found := []check.Finding{{Problem: check.ProblemUnowned, Repairable: true, Snapshotters: []string{"memory"}}}
		must(check.Repair(context.Background(), s.tape, found, run.ExecuteOptions{Now: time.Now}))
		where = slices.DeleteFunc(where, func(name string) bool { return slices.Contains(before, name) })
		if len(where) != 1 || !strings.HasPrefix(where[0], run.OwnNamespace) {
			t.Errorf("made %v", where)
		}
		if diff := cmp.Diff(before, must(s.store.Namespaces(s.ctx))); diff != "" {
			t.Errorf("namespaces (-before +after):\n%s", diff)
		}
	}
}

// A lease that asked for a collection when its process died is told as left
// over and goes with the next run.
func TestLeftOverCollection(t *testing.T) {
	s := newScene(t, small())
	s.tape.before = func(call string) error {
		if strings.HasPrefix(call, "free ") {
			return errDown
		}
		return nil
	}
	if _, err := check.Repair(context.Background(), s.tape, nil, run.ExecuteOptions{Now: time.Now, Procfs: process(t, 1)}); err == nil {
		t.Fatal("no error")
	}
	found := must(check.Check(context.Background(), s.store, time.Now(), check.CheckOptions{Read: read.ReadOptions{Procfs: process(t, 2)}}))
	left := found[slices.IndexFunc(found, func(f check.Finding) bool { return f.Problem == check.ProblemInterrupted })]
	if !strings.HasPrefix(left.Object, "ctr-prune-collect-") {
		t.Errorf("found %+v", left)
	}
	if kind := ours.KindOf(leases.Lease{ID: left.Object}); kind != ours.KindCollect {
		t.Errorf("it is a %s", kind)
	}
	s.tape.before = nil
	must(check.Repair(context.Background(), s.tape, found, run.ExecuteOptions{Now: time.Now, Procfs: process(t, 2)}))
	checkNothingOfOurs(t, s.store)
}
