package check_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/containerd/v2/core/snapshots"

	ours "github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A repair that is interrupted leaves no lease.
func TestInterruptedRepairLeavesNothing(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	ctx, cancel := context.WithCancel(context.Background())
	s.Tape.Before = func(call string) error {
		if call == "write" {
			cancel()
			return ctx.Err()
		}
		return nil
	}
	findings := []check.Finding{{Problem: check.ProblemForgotten, Repairable: true}}
	if _, err := check.Repair(ctx, s.Tape, findings, run.ExecuteOptions{Now: time.Now}); !errors.Is(err, context.Canceled) {
		t.Errorf("the repair ended with %v", err)
	}
	s.Collect()
	tw.CheckNothingOfOurs(t, s.Store)
}

// A repair that failed is over, too.
func TestFailedRepairIsFinishedByItsOwnProcess(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	s.Tape.Before = func(call string) error {
		if call == "write" || strings.HasPrefix(call, "free") {
			return tw.ErrDown
		}
		return nil
	}
	findings := []check.Finding{{Problem: check.ProblemForgotten, Repairable: true}}
	if _, err := check.Repair(context.Background(), s.Tape, findings, run.ExecuteOptions{Now: time.Now}); !errors.Is(err, tw.ErrDown) {
		t.Fatalf("the repair ended with %v", err)
	}
	s.Tape.Before = nil
	if _, err := s.Run(context.Background(), proc.Procfs{}); err != nil {
		t.Error(err)
	}
	tw.CheckNothingOfOurs(t, s.Store)
}

// A repair leaves a lease alone that was renewed since the check, and says so.
func TestRepairLeavesRenewedLeases(t *testing.T) {
	s := tw.Stale(t)
	found := tw.Must(check.Check(context.Background(), s.Store, time.Now(), check.CheckOptions{})).Findings
	renewed := false
	s.Tape.Before = func(call string) error {
		if !renewed && (strings.HasPrefix(call, "lease ") || strings.HasPrefix(call, "free ")) {
			renewed = true
			s.Renew()
		}
		return nil
	}
	repaired := tw.Must(check.Repair(context.Background(), s.Tape, found, run.ExecuteOptions{Now: time.Now}))
	if len(repaired.Renewed) != 1 || repaired.Renewed[0].ID != "mount" || len(repaired.Expired) != 0 {
		t.Errorf("%+v", repaired)
	}
	s.CheckMount(true)
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
			s := tw.NewScene(t, tw.World{"default": {tw.Blob("a"), tw.Record("x:1", "a")}, "moby": {}, "aaa_history": {}})
			prepared := false
			s.Tape.After = func(call string) error {
				if strings.HasPrefix(call, "lease ") {
					for _, ns := range []string{"moby", "aaa_history"} {
						if left := tw.Must(s.Store.Leases().List(store.InNamespace(context.Background(), ns))); len(left) > 0 {
							t.Errorf("in %s: %v", ns, left)
						}
					}
				}
				return nil
			}
			s.Tape.Before = func(call string) error {
				if strings.HasPrefix(call, "free ") {
					tw.Must(0, s.Store.Snapshotter("memory").Walk(s.Ctx, func(context.Context, snapshots.Info) error { prepared = true; return nil }))
				}
				return nil
			}
			tw.Must(check.Repair(context.Background(), s.Tape, test.found, run.ExecuteOptions{Now: time.Now}))
			if prepared != test.snapshots {
				t.Errorf("a snapshot was made: %v, want %v", prepared, test.snapshots)
			}
			calls := slices.DeleteFunc(s.Tape.Calls, func(call string) bool { return call == "look" })
			if len(calls) != 3 || !strings.HasPrefix(calls[0], "lease ctr-prune-collect-") || calls[1] != "write" || calls[2] != strings.Replace(calls[0], "lease", "free", 1)+" and collect" {
				t.Errorf("it did %q", calls)
			}
			tw.CheckNothingOfOurs(t, s.Store)
		})
	}
}

// A lease that asked for a collection when its process died is told as left
// over and goes with the next run.
func TestLeftOverCollection(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	s.Tape.Before = func(call string) error {
		if strings.HasPrefix(call, "free ") {
			return tw.ErrDown
		}
		return nil
	}
	if _, err := check.Repair(context.Background(), s.Tape, nil, run.ExecuteOptions{Now: time.Now, Procfs: tw.Process(t, 1)}); err == nil {
		t.Fatal("no error")
	}
	found := tw.Must(check.Check(context.Background(), s.Store, time.Now(), check.CheckOptions{Read: read.ReadOptions{Procfs: tw.Process(t, 2)}})).Findings
	left := found[slices.IndexFunc(found, func(f check.Finding) bool { return f.Problem == check.ProblemInterrupted })]
	if !strings.HasPrefix(left.Object, "ctr-prune-collect-") {
		t.Errorf("found %+v", left)
	}
	if kind := ours.KindOf(leases.Lease{ID: left.Object}); kind != ours.KindCollect {
		t.Errorf("it is a %s", kind)
	}
	s.Tape.Before = nil
	tw.Must(check.Repair(context.Background(), s.Tape, found, run.ExecuteOptions{Now: time.Now, Procfs: tw.Process(t, 2)}))
	tw.CheckNothingOfOurs(t, s.Store)
}
