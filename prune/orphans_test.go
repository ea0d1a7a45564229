package prune

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// holdersOfConfig are leases that hold the config of an image which goes; only
// build history lets the image's snapshots go.
func holdersOfConfig() map[string]struct {
	lease   thing
	history bool
} {
	later := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	return map[string]struct {
		lease   thing
		history bool
	}{
		"build history":           {lease(historyLease, holding(theBlob("b"))), true},
		"history of the manifest": {lease(historyLease, holding(theBlob("a"))), true},
		"an unknown client":       {lease("mine", holding(theBlob("b"))), false},
		"one with a like name":    {lease("ref_build", holding(theBlob("b"))), false},
		"a longer name":           {lease(historyLease+"0", holding(theBlob("b"))), false},
		"labels":                  {lease(historyLease, holding(theBlob("b")), labelled("owner", "me")), false},
		"an expiry":               {lease(historyLease, holding(theBlob("b")), labelled(gc.LabelExpire, later)), false},
		"no expiry that is one":   {lease(historyLease, holding(theBlob("b")), labelled(gc.LabelExpire, "never")), false},
		"a snapshot of its own":   {lease(historyLease, holding(theBlob("b")), holding(theSnapshot("memory", "other"))), false},
	}
}

// What a lease holds, its client keeps, with the snapshots; unless it is known
// as build history. The plan, the run, one that finishes a killed run and one
// with a grace agree.
func TestOnlyBuildHistoryLetsSnapshotsGo(t *testing.T) {
	for name, c := range holdersOfConfig() {
		w := world{"default": {
			blob("a", refContent("b")), blob("b", refSnapshot("s1")), snapshot("s1", ""), snapshot("other", ""),
			record("x:1", "a"), c.lease,
		}}
		for way, prune := range map[string]func(*scene){
			"a run": func(s *scene) {
				report := must(s.run(context.Background(), process(t, 1)))
				if len(report.Changes) > 0 {
					t.Errorf("%s: not as foretold: %v", name, report.Changes)
				}
				if !c.history {
					checkNamed(t, report, c.lease.Name)
				}
			},
			"after a killed run": func(s *scene) {
				s.crash("free ctr-prune and collect")
				s.recover()
			},
			"a grace that ended": func(s *scene) {
				_, run := s.withGrace()
				must(undo.Drop(context.Background(), s.store, run, time.Now(), read.ReadOptions{}))
			},
		} {
			s := newScene(t, w)
			prune(s)
			_, err := s.store.Snapshotter("memory").Stat(s.ctx, "s1")
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
	if !named[dig("b").String()] || !named["memory/s1"] {
		t.Errorf("the lease %q is named for %v only: %+v", lease, named, report.Held)
	}
}

// A config with more snapshot labels than can be written down keeps them, and
// the snapshots: the plan says who holds them.
func TestTooManySnapshotLabelsStay(t *testing.T) {
	for _, c := range []struct {
		labels int
		taken  bool
	}{{1, true}, {200, false}} {
		config := blob("b", refSnapshot("s1"))
		for i := range c.labels {
			config.Labels[fmt.Sprintf("%sother%d", leases.SnapshotLabel, i)] = strings.Repeat("x", 4000)
		}
		inv := world{"default": {
			blob("a", refContent("b")), config, snapshot("s1", ""), record("x:1", "a"), lease(historyLease, holding(theBlob("b"))),
		}}.inventory()
		o := must(plan.NewPlan(inv, everyImage, noon)).Outcome
		if taken := len(o.Orphans) == 1; taken != c.taken || (len(o.Freed.Snapshots) == 1) != c.taken {
			t.Errorf("%d labels: taken off %v, freed %v, held %+v", c.labels, taken, o.Freed.Snapshots, o.Held)
		}
	}
}
