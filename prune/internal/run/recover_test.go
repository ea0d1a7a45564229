package run_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/google/go-cmp/cmp"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// Killed at any point, a run loses nothing: until the next one has finished it
// every blob is there, through any collection.
func TestKilledRunIsFinished(t *testing.T) {
	for call, untagged := range map[string]string{
		"write": "", "delete x:1": "x:2", "free ctr-prune and collect": "x:1, x:2",
	} {
		t.Run(call, func(t *testing.T) {
			s := tw.NewScene(t, tw.Small())
			s.Crash(call)
			s.Collect()
			for _, text := range []string{"a", "b", "e"} {
				if !s.HasBlob(text) {
					t.Errorf("blob %s is lost", text)
				}
			}
			plan := s.Plan(tw.Process(t, 2))
			if diff := cmp.Diff([]string{"default"}, plan.Interrupted()); diff != "" || plan.Empty() {
				t.Errorf("unfinished (-want +got), empty %v:\n%s", plan.Empty(), diff)
			}
			report := s.Recover()
			if len(report.Recovered) != 1 {
				t.Fatalf("recovered %+v", report.Recovered)
			}
			r := report.Recovered[0]
			if r.Namespace != "default" || r.Run == "" || !strings.Contains(r.Owner, "process") || len(r.Restored) != 0 {
				t.Errorf("recovered %+v", r)
			}
			if tw.NamesOf(r.Untagged) != untagged {
				t.Errorf("the killed run untagged %q, want %q", tw.NamesOf(r.Untagged), untagged)
			}
			tw.CheckRecordNames(t, s)
			if s.HasBlob("a") || s.HasBlob("e") {
				t.Error("nothing was collected")
			}
			want := 4 // with the plan of the killed run
			if call == "write" {
				want = 3
			}
			if report.Reclaimed != plan.Predicted() || report.Reclaimed.Blobs != want || report.Garbage != (inventory.Amount{}) {
				t.Errorf("predicted %+v, reclaimed %+v, garbage %+v", plan.Predicted(), report.Reclaimed, report.Garbage)
			}
		})
	}
}

// What is needed by now comes back, with its labels, whatever the filters of
// the next run.
func TestKilledRunPutsBack(t *testing.T) {
	for name, c := range map[string]struct {
		needs tw.Thing
		left  string
	}{
		"by name":     {tw.Container("c", "x:1", ""), "x:1"},
		"by digest":   {tw.Container("c", tw.Digest("a").String(), ""), "<none>@«a»"},
		"as subject":  {tw.Record("docker.io/library/s:sha256-"+tw.Digest("a").Encoded()+".sig", "s", tw.Labelled(rules.LabelKeep, "yes")), ""},
		"as a parent": {tw.Record("i:1", "i", tw.Labelled(rules.LabelKeep, "yes")), "x:1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := tw.NewScene(t, tw.Small())
			s.Crash("free ctr-prune and collect")
			if name == "as a parent" {
				addBlob(s, tw.Blob("i", tw.RefContent("a")))
			}
			s.Add(c.needs)
			report := s.Recover()
			var back []string
			for _, r := range report.Recovered[0].Restored {
				back = append(back, tw.Legend(r.Name))
			}
			if strings.Join(back, ", ") != c.left {
				t.Fatalf("restored %v, want %s", back, c.left)
			}
			if s.HasBlob("a") != (c.left != "") || s.HasBlob("b") {
				t.Errorf("blob a %v, b %v", s.HasBlob("a"), s.HasBlob("b"))
			}
			if c.left == "x:1" && tw.Must(s.Store.Images().Get(s.Ctx, "x:1")).Labels["team"] != "red" {
				t.Error("x:1 has lost its labels")
			}
		})
	}
}

// addBlob writes a blob with its file.
func addBlob(s *tw.Scene, t tw.Thing) {
	tw.Must(0, os.WriteFile(s.Store.Layout.Content+"/blobs/sha256/"+tw.Digest(t.Name).Encoded(), []byte(tw.Body(t.Name)), 0o600))
	s.Add(t)
}

// A look that fails ends the run with everything still held: that for what has
// appeared, those of a reading because of it, and the one after that.
func TestFailingLookLeavesTheLease(t *testing.T) {
	for _, looks := range []int{3, 4, 5, 6} {
		s := tw.NewScene(t, tw.Small())
		seen := 0
		s.Tape.Before = func(call string) error {
			if call == "look" {
				if seen++; seen == looks {
					return tw.ErrDisk
				}
				if seen == 3 && looks > 3 {
					s.Add(tw.Snapshot(tw.Layer("9"), ""), tw.Active("theirs", tw.Layer("9")), tw.Container("other", "", "theirs"))
				}
			}
			return nil
		}
		report, err := s.Run(context.Background(), tw.Process(t, 1))
		if !errors.Is(err, tw.ErrDisk) || !strings.Contains(err.Error(), "still held until the next run") || report == nil || report.Measured {
			t.Errorf("look %d: %+v, %v", looks, report, err)
		}
		s.Collect()
		if !s.HasBlob("a") || len(s.Records()) != 0 {
			t.Errorf("look %d: blob a %v, records %v", looks, s.HasBlob("a"), s.Records())
		}
		s.Tape.Before = nil
		if report := s.Recover(); len(report.Recovered) != 1 || tw.NamesOf(report.Recovered[0].Untagged) != "x:1, x:2" {
			t.Errorf("look %d: recovered %+v", looks, report.Recovered)
		}
		if s.HasBlob("a") {
			t.Errorf("look %d: nothing was collected", looks)
		}
	}
}

// A record that cannot be put back is not given up.
func TestFailingPutBackLeavesTheLease(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	made := tw.On("delete x:1", func() error { s.Add(tw.Container("c", "x:1", "")); return nil })
	fails := tw.On("create x:1", func() error { return tw.ErrDisk })
	s.Tape.Before = func(call string) error { return errors.Join(made(call), fails(call)) }
	if _, err := s.Run(context.Background(), tw.Process(t, 1)); !errors.Is(err, tw.ErrDisk) || !strings.Contains(err.Error(), `restoring image "x:1"`) {
		t.Errorf("got %v", err)
	}
	s.Collect()
	s.Tape.Before = nil
	report := s.Recover()
	tw.CheckRecordNames(t, s, "x:1")
	if r := report.Recovered[0]; len(r.Restored) != 1 || tw.NamesOf(r.Untagged) != "x:2" || !s.HasBlob("a") {
		t.Errorf("recovered %+v", r)
	}
}

// A signature that only its manifest tells of comes back with its image.
func TestKilledRunPutsSignaturesBack(t *testing.T) {
	config := tw.ConfigOf(nil)
	image := tw.ManifestOf(config, "")
	signature := tw.ManifestOf("{}", image)
	s := tw.NewScene(t, tw.World{"default": {
		tw.Blob(config), tw.Blob(image), tw.Blob("{}"), tw.Blob(signature), tw.Record("app:1", image), tw.Record("s:1", signature),
	}})
	s.Crash("free ctr-prune and collect")
	s.Add(tw.Container("c", "app:1", ""))
	s.Recover()
	tw.CheckRecordNames(t, s, "app:1", "s:1")
}

// The snapshot labels of configs that a killed run left only to build history
// go if they still are only there, and come back if their image does.
func TestKilledRunSettlesOrphans(t *testing.T) {
	for _, call := range []string{"label «b»", "free ctr-prune and collect"} {
		for _, needed := range []bool{false, true} {
			s := tw.NewScene(t, tw.World{"default": {
				tw.Blob("a", tw.RefContent("b")), tw.Blob("b", tw.RefSnapshot("s1")), tw.Snapshot("s1", ""), tw.Record("x:1", "a"),
				tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("b"))),
			}})
			s.Crash(call)
			if needed {
				s.Add(tw.Container("c", "x:1", ""))
			}
			s.Recover()
			_, err := s.Store.Snapshotter("memory").Stat(s.Ctx, "s1")
			labels := tw.Must(s.Store.Content().Info(s.Ctx, tw.Digest("b"))).Labels
			if there := err == nil && len(labels) == 1; there != needed {
				t.Errorf("killed at %s, needed %v: labels %v, snapshot %v", call, needed, labels, err)
			}
		}
	}
}

// Claims of takers-over that died when all was done but this are taken away.
func TestLeftOverClaims(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	dead := lock.Run{Name: "dead", Owner: tw.Process(t, 1).Self(), Start: time.Now(), Expires: time.Now().Add(time.Hour)}
	locker := lock.Locker{Manager: s.Store.Leases(), Procfs: tw.Process(t, 2)}
	tw.Must(0, locker.Lock(s.Ctx, "default", dead, time.Now()))
	tw.Must(locker.Claim(s.Ctx, &lock.Stale{Namespace: "default", Run: dead}, dead, time.Now()))
	tw.Must(0, tw.FreeLock(s.Ctx, s.Store))
	if report := s.Recover(); len(report.Recovered) != 0 || len(report.Untagged) != 2 {
		t.Errorf("%+v", report)
	}
}

// After a power failure the file of the plan may be gone although containerd
// knows it. The killed run is ended all the same, and what is lost is told.
func TestKilledRunWithoutItsPlan(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	s.Crash("free ctr-prune and collect")
	tw.Must(0, s.Store.Content().Walk(s.Ctx, func(info content.Info) error {
		if info.Labels["ctr-prune/plan"] == "" {
			return nil
		}
		return os.Remove(store.BlobFile(s.Store.Layout.Content, info.Digest))
	}))
	s.Add(tw.Blob("c"), tw.Record("y:1", "c"))
	report, err := s.Run(context.Background(), tw.Process(t, 2))
	if err == nil || !strings.Contains(err.Error(), "is lost, so not all of it can be restored") || len(report.Recovered) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	for _, text := range []string{"a", "b", "c", "e"} {
		if s.HasBlob(text) {
			t.Errorf("blob %s is left", text)
		}
	}
	tw.CheckNothingOfOurs(t, s.Store)
	if _, err := s.Run(context.Background(), tw.Process(t, 2)); err != nil {
		t.Errorf("the run after that: %v", err)
	}
}

// What a killed run left of an image whose names go together is judged with the
// names that are gone: the next run ends where that one would have.
func TestRestOfAnImageIsJudgedAsTheWhole(t *testing.T) {
	config := "sha256:" + tw.Digest("b").Encoded()
	s := tw.NewScene(t, tw.World{store.CRINamespace: {
		tw.Blob("a", tw.RefContent("b")), tw.Blob("b"), tw.Record("x.example/app:1", "a"), tw.Record(config, "a"),
	}})
	set := tw.Must(filters.Parse(filters.Options{All: true, Filters: []string{"reference=*/app:1"}}, time.Now()))
	policy := rules.Policy{Namespaces: []string{store.CRINamespace}, Filters: set}
	run := func(n uint64) (*run.Report, error) {
		opts := read.ReadOptions{Procfs: tw.Process(t, n)}
		plan := tw.Must(flow.ReadPlan(s.Ctx, s.Store, policy, time.Now(), opts))
		return run.Execute(s.Ctx, plan, s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: opts.Procfs})
	}
	other := make(chan struct{}) // closed when the first name is gone: records are deleted side by side
	var down atomic.Bool
	s.Tape.Before = func(call string) error {
		if strings.HasPrefix(call, "delete ") && !strings.HasPrefix(call, "delete x.example") {
			<-other
			down.Store(true)
		}
		if down.Load() {
			return tw.ErrDown
		}
		return nil
	}
	s.Tape.After = func(call string) error {
		if strings.HasPrefix(call, "delete x.example") {
			close(other)
		}
		return nil
	}
	if _, err := run(1); err == nil {
		t.Fatal("the run was not killed")
	}
	s.Tape.Before, s.Tape.After = nil, nil
	report, err := run(2)
	if err != nil || len(report.Recovered) != 1 || len(report.Recovered[0].Restored) != 0 || s.HasBlob("a") {
		t.Errorf("%+v, %v, a is there: %v", report.Recovered, err, s.HasBlob("a"))
	}
}
