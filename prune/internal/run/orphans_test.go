package run_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// holdersOfConfig are leases that hold the config of an image which goes; only
// build history lets the image's snapshots go.
func holdersOfConfig() map[string]struct {
	lease   tw.Thing
	history bool
} {
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	return map[string]struct {
		lease   tw.Thing
		history bool
	}{
		"build history":           {tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("b"))), true},
		"history of the manifest": {tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("a"))), true},
		"an unknown client":       {tw.Lease("mine", tw.Holding(tw.TheBlob("b"))), false},
		"one with a like name":    {tw.Lease("ref_build", tw.Holding(tw.TheBlob("b"))), false},
		"a longer name":           {tw.Lease(tw.HistoryLease+"0", tw.Holding(tw.TheBlob("b"))), false},
		"labels":                  {tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("b")), tw.Labelled("owner", "me")), false},
		"an expiry":               {tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("b")), tw.Labelled(gc.LabelExpire, later)), false},
		"no expiry that is one":   {tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("b")), tw.Labelled(gc.LabelExpire, "never")), false},
		"a snapshot of its own":   {tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("b")), tw.Holding(tw.TheSnapshot("memory", "other"))), false},
	}
}

// What a lease holds, its client keeps, with the snapshots; unless it is known
// as build history. The plan, the run, one that finishes a killed run and one
// with a grace agree.
func TestOnlyBuildHistoryLetsSnapshotsGo(t *testing.T) {
	for name, c := range holdersOfConfig() {
		w := tw.World{"default": {
			tw.Blob("a", tw.RefContent("b")), tw.Blob("b", tw.RefSnapshot("s1")), tw.Snapshot("s1", ""), tw.Snapshot("other", ""),
			tw.Record("x:1", "a"), c.lease,
		}}
		for way, prune := range map[string]func(*tw.Scene){
			"a run": func(s *tw.Scene) {
				report := tw.Must(s.Run(context.Background(), tw.Process(t, 1)))
				if len(report.Changes) > 0 {
					t.Errorf("%s: not as foretold: %v", name, report.Changes)
				}
				if !c.history {
					checkNamed(t, report, c.lease.Name)
				}
			},
			"after a killed run": func(s *tw.Scene) {
				s.Crash("free ctr-prune and collect")
				s.Recover()
			},
			"a grace that ended": func(s *tw.Scene) {
				_, run := s.WithGrace()
				tw.Must(undo.Drop(context.Background(), s.Store, run, tw.Options()))
			},
		} {
			s := tw.NewScene(t, w)
			prune(s)
			_, err := s.Store.Snapshotter("memory").Stat(s.Ctx, "s1")
			if gone := err != nil; gone != c.history {
				t.Errorf("%s, %s: the snapshot is gone: %v, want %v", name, way, gone, c.history)
			}
		}
	}
}

// checkNamed looks for the holder of the config and of its snapshot.
func checkNamed(t *testing.T, report *run.Report, lease string) {
	t.Helper()
	named := make(map[string]bool)
	for _, h := range report.Held {
		if strings.Contains(h.Holder, lease) {
			named[h.Digest.String()+h.Snapshot] = true
		}
	}
	if !named[tw.Digest("b").String()] || !named["memory/s1"] {
		t.Errorf("the lease %q is named for %v only: %+v", lease, named, report.Held)
	}
}
