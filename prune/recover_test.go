package prune

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

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// errDown is what every call answers when the daemon is gone.
var errDown = errors.New("transport is closing")

// crash makes a run of a process that is gone afterwards end with the call,
// which is not made, and nothing after it.
func (s *scene) crash(call string) {
	s.t.Helper()
	s.crashIn(process(s.t, 1), call)
}

// crashIn does that to a run of a given process.
func (s *scene) crashIn(procfs leases.Procfs, call string) {
	s.t.Helper()
	var down atomic.Bool
	other := make(chan struct{}) // closed when x:2 is gone: records are deleted side by side
	s.tape.before = func(now string) error {
		if now == "delete x:1" && now == call {
			<-other
		}
		if now == call {
			down.Store(true)
		}
		if down.Load() {
			return errDown
		}
		return nil
	}
	s.tape.after = on("delete x:2", func() error { close(other); return nil })
	if _, err := s.run(context.Background(), procfs); !errors.Is(err, errDown) {
		s.t.Fatalf("the run that was to crash: %v", err)
	}
	s.tape.before, s.tape.after, s.tape.calls = nil, nil, nil
}

// recover runs the next process.
func (s *scene) recover() *run.Report {
	s.t.Helper()
	report, err := s.run(context.Background(), process(s.t, 2))
	if err != nil {
		s.t.Fatal(err)
	}
	checkNothingOfOurs(s.t, s.store)
	return report
}

func names(records []inventory.Record) string {
	var names []string
	for _, r := range records {
		names = append(names, legend(r.Name))
	}
	return strings.Join(names, ", ")
}

// Killed at any point, a run loses nothing: until the next one has finished it
// every blob is there, through any collection.
func TestKilledRunIsFinished(t *testing.T) {
	for call, untagged := range map[string]string{
		"write": "", "delete x:1": "x:2", "free ctr-prune and collect": "x:1, x:2",
	} {
		t.Run(call, func(t *testing.T) {
			s := newScene(t, small())
			s.crash(call)
			s.collect()
			for _, text := range []string{"a", "b", "e"} {
				if !s.hasBlob(text) {
					t.Errorf("blob %s is lost", text)
				}
			}
			plan := s.plan(process(t, 2))
			if diff := cmp.Diff([]string{"default"}, plan.Interrupted()); diff != "" || plan.Empty() {
				t.Errorf("unfinished (-want +got), empty %v:\n%s", plan.Empty(), diff)
			}
			report := s.recover()
			if len(report.Recovered) != 1 {
				t.Fatalf("recovered %+v", report.Recovered)
			}
			r := report.Recovered[0]
			if r.Namespace != "default" || r.Run == "" || !strings.Contains(r.Owner, "process") || len(r.Restored) != 0 {
				t.Errorf("recovered %+v", r)
			}
			if names(r.Untagged) != untagged {
				t.Errorf("the killed run untagged %q, want %q", names(r.Untagged), untagged)
			}
			checkRecordNames(t, s)
			if s.hasBlob("a") || s.hasBlob("e") {
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
		needs thing
		left  string
	}{
		"by name":     {container("c", "x:1", ""), "x:1"},
		"by digest":   {container("c", dig("a").String(), ""), "<none>@«a»"},
		"as subject":  {record("docker.io/library/s:sha256-"+dig("a").Encoded()+".sig", "s", labelled(rules.LabelKeep, "yes")), ""},
		"as a parent": {record("i:1", "i", labelled(rules.LabelKeep, "yes")), "x:1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, small())
			s.crash("free ctr-prune and collect")
			if name == "as a parent" {
				s.addBlob(blob("i", refContent("a")))
			}
			s.add(c.needs)
			report := s.recover()
			var back []string
			for _, r := range report.Recovered[0].Restored {
				back = append(back, legend(r.Name))
			}
			if strings.Join(back, ", ") != c.left {
				t.Fatalf("restored %v, want %s", back, c.left)
			}
			if s.hasBlob("a") != (c.left != "") || s.hasBlob("b") {
				t.Errorf("blob a %v, b %v", s.hasBlob("a"), s.hasBlob("b"))
			}
			if c.left == "x:1" && must(s.store.Images().Get(s.ctx, "x:1")).Labels["team"] != "red" {
				t.Error("x:1 has lost its labels")
			}
		})
	}
}

// addBlob writes a blob with its file.
func (s *scene) addBlob(t thing) {
	must(0, os.WriteFile(s.store.Layout.Content+"/blobs/sha256/"+dig(t.Name).Encoded(), []byte(body(t.Name)), 0o600))
	s.add(t)
}

// A look that fails ends the run with everything still held.
func TestFailingLookLeavesTheLease(t *testing.T) {
	for _, looks := range []int{2, 3, 4} {
		s := newScene(t, small())
		seen := 0
		s.tape.before = func(call string) error {
			if call == "look" {
				if seen++; seen == looks {
					return errDisk
				}
			}
			return nil
		}
		report, err := s.run(context.Background(), process(t, 1))
		if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "still held for the next run") || report == nil || report.Measured {
			t.Errorf("look %d: %+v, %v", looks, report, err)
		}
		s.collect()
		if !s.hasBlob("a") || len(s.records()) != 0 {
			t.Errorf("look %d: blob a %v, records %v", looks, s.hasBlob("a"), s.records())
		}
		s.tape.before = nil
		if report := s.recover(); len(report.Recovered) != 1 || names(report.Recovered[0].Untagged) != "x:1, x:2" {
			t.Errorf("look %d: recovered %+v", looks, report.Recovered)
		}
		if s.hasBlob("a") {
			t.Errorf("look %d: nothing was collected", looks)
		}
	}
}

// A record that cannot be put back is not given up.
func TestFailingPutBackLeavesTheLease(t *testing.T) {
	s := newScene(t, small())
	made := on("delete x:1", func() error { s.add(container("c", "x:1", "")); return nil })
	fails := on("create x:1", func() error { return errDisk })
	s.tape.before = func(call string) error { return errors.Join(made(call), fails(call)) }
	if _, err := s.run(context.Background(), process(t, 1)); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), `putting back image "x:1"`) {
		t.Errorf("got %v", err)
	}
	s.collect()
	s.tape.before = nil
	report := s.recover()
	checkRecordNames(t, s, "x:1")
	if r := report.Recovered[0]; len(r.Restored) != 1 || names(r.Untagged) != "x:2" || !s.hasBlob("a") {
		t.Errorf("recovered %+v", r)
	}
}

// A run that is under way is not touched; who comes is told whose it is.
func TestTwoRuns(t *testing.T) {
	for _, when := range []string{"look", "write", "delete x:1", "free ctr-prune and collect"} {
		t.Run(when, func(t *testing.T) {
			s := newScene(t, small())
			first := leases.Procfs{} // of this very process
			s.tape.before = on(when, func() error {
				second := s.plan(first)
				report, err := run.Execute(context.Background(), second, untransactional{s.store}, run.ExecuteOptions{Now: time.Now, Procfs: first})
				var busy *leases.Busy
				switch {
				case second.Empty():
					t.Log("nothing is left for a second run")
				case !errors.As(err, &busy) || report != nil:
					t.Errorf("the second run: %+v, %v", report, err)
				case busy.Namespace != "default" || busy.Run.Owner.PID != os.Getpid() || busy.Run.Name == "":
					t.Errorf("it was told of %+v", busy)
				}
				return nil
			})
			report, err := s.run(context.Background(), first)
			if err != nil || len(report.Untagged) != 2 || report.Reclaimed.Blobs != 3 {
				t.Errorf("the first run: %+v, %v", report, err)
			}
			checkNothingOfOurs(t, s.store)
		})
	}
}

// The locks that were taken before one was found taken are given back.
func TestBusyElsewhere(t *testing.T) {
	w := small()
	w["other"] = w["default"]
	s := newScene(t, w)
	plan, procfs := s.plan(process(t, 1)), process(t, 1)
	other := store.InNamespace(context.Background(), "other")
	r := leases.Run{Name: "theirs", Owner: procfs.Self(), Start: time.Now(), Expires: time.Now().Add(time.Hour)}
	must(0, leases.Locker{Manager: s.store.Leases(), Procfs: procfs}.Lock(other, "other", r, time.Now()))
	report, err := run.Execute(context.Background(), plan, s.tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs})
	var busy *leases.Busy
	if !errors.As(err, &busy) || busy.Namespace != "other" || report != nil {
		t.Errorf("%+v, %v", report, err)
	}
	if found := must(s.store.Leases().List(s.ctx)); len(found) != 0 {
		t.Errorf("left %v", found)
	}
	checkRecordNames(t, s, "x:1", "x:2")
}

// What a run has finished for a killed one is reported, although it finds the
// next namespace taken.
func TestBusyAfterARecovery(t *testing.T) {
	w := small()
	w["other"] = w["default"]
	s := newScene(t, w)
	s.crash("free ctr-prune")
	s.add(container("c", "x:1", ""))
	plan, procfs := s.plan(process(t, 2)), process(t, 2)
	other := leases.Locker{Manager: s.store.Leases(), Procfs: procfs}
	s.tape.after = on("create x:1", func() error {
		ctx := store.InNamespace(context.Background(), "other")
		run := leases.Run{Name: "theirs", Owner: procfs.Self(), Start: time.Now(), Expires: time.Now().Add(time.Hour)}
		return errors.Join(freeLock(ctx, s.store), other.Lock(ctx, "other", run, time.Now()))
	})
	report, err := run.Execute(context.Background(), plan, s.tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs})
	var busy *leases.Busy
	if !errors.As(err, &busy) || busy.Namespace != "other" {
		t.Fatalf("%+v, %v", report, err)
	}
	if report == nil || len(report.Recovered) != 1 || len(report.Recovered[0].Restored) != 1 || len(report.Errors) != 1 {
		t.Errorf("%+v", report)
	}
}

// Of two that would finish a killed run one does, wherever the other comes in.
func TestTwoRecoverers(t *testing.T) {
	claim := ""
	for _, when := range []string{"claim", "create x:1", "free ctr-prune", "lease ctr-prune", "write"} {
		t.Run(when, func(t *testing.T) {
			s := newScene(t, small())
			s.crash("free ctr-prune and collect")
			s.add(container("c", "x:1", ""))
			procfs := process(t, 2)
			late := s.plan(procfs) // it has seen the killed run's lease
			once := false
			locks := 0
			s.tape.after = func(call string) error {
				if strings.HasPrefix(call, "lease ctr-prune-takeover-") {
					claim, call = call, "claim"
				}
				if call == "lease ctr-prune" {
					locks++ // the first attempt finds the stale lease and fails
				}
				if call != when || once {
					return nil
				}
				once = true
				_, err := run.Execute(context.Background(), late, untransactional{s.store}, run.ExecuteOptions{Now: time.Now, Procfs: procfs})
				var busy *leases.Busy
				if when != "free ctr-prune" && !errors.As(err, &busy) {
					t.Errorf("the late one: %v", err)
				}
				return nil
			}
			report, err := s.run(context.Background(), procfs)
			var busy *leases.Busy
			if when == "free ctr-prune" && errors.As(err, &busy) {
				return // between the two leases the late one may be the winner
			}
			if err != nil || len(report.Recovered) != 1 || len(report.Recovered[0].Restored) != 1 {
				t.Fatalf("%+v, %v", report, err)
			}
			if !once {
				t.Fatal("the late one never came")
			}
			checkRecordNames(t, s, "x:1")
			checkNothingOfOurs(t, s.store)
		})
	}
	if claim == "" {
		t.Error("nobody claimed the killed run")
	}
}

// A signature that only its manifest tells of comes back with its image.
func TestKilledRunPutsSignaturesBack(t *testing.T) {
	config := configOf(nil)
	image := manifestOf(config, "")
	signature := manifestOf("{}", image)
	s := newScene(t, world{"default": {
		blob(config), blob(image), blob("{}"), blob(signature), record("app:1", image), record("s:1", signature),
	}})
	s.crash("free ctr-prune and collect")
	s.add(container("c", "app:1", ""))
	s.recover()
	checkRecordNames(t, s, "app:1", "s:1")
}

// The snapshot labels of configs that a killed run left only to build history
// go if they still are only there, and come back if their image does.
func TestKilledRunSettlesOrphans(t *testing.T) {
	for _, call := range []string{"label «b»", "free ctr-prune and collect"} {
		for _, needed := range []bool{false, true} {
			s := newScene(t, world{"default": {
				blob("a", refContent("b")), blob("b", refSnapshot("s1")), snapshot("s1", ""), record("x:1", "a"),
				lease(historyLease, holding(theBlob("b"))),
			}})
			s.crash(call)
			if needed {
				s.add(container("c", "x:1", ""))
			}
			s.recover()
			_, err := s.store.Snapshotter("memory").Stat(s.ctx, "s1")
			labels := must(s.store.Content().Info(s.ctx, dig("b"))).Labels
			if there := err == nil && len(labels) == 1; there != needed {
				t.Errorf("killed at %s, needed %v: labels %v, snapshot %v", call, needed, labels, err)
			}
		}
	}
}

// Claims of takers-over that died when all was done but this are taken away.
func TestLeftOverClaims(t *testing.T) {
	s := newScene(t, small())
	dead := leases.Run{Name: "dead", Owner: process(t, 1).Self(), Start: time.Now(), Expires: time.Now().Add(time.Hour)}
	locker := leases.Locker{Manager: s.store.Leases(), Procfs: process(t, 2)}
	must(0, locker.Lock(s.ctx, "default", dead, time.Now()))
	must(locker.Claim(s.ctx, &leases.Stale{Namespace: "default", Run: dead}, dead, time.Now()))
	must(0, freeLock(s.ctx, s.store))
	if report := s.recover(); len(report.Recovered) != 0 || len(report.Untagged) != 2 {
		t.Errorf("%+v", report)
	}
}

// After a power failure the file of the plan may be gone although containerd
// knows it. The killed run is ended all the same, and what is lost is told.
func TestKilledRunWithoutItsPlan(t *testing.T) {
	s := newScene(t, small())
	s.crash("free ctr-prune and collect")
	must(0, s.store.Content().Walk(s.ctx, func(info content.Info) error {
		if info.Labels["ctr-prune/plan"] == "" {
			return nil
		}
		return os.Remove(store.BlobFile(s.store.Layout.Content, info.Digest))
	}))
	s.add(blob("c"), record("y:1", "c"))
	report, err := s.run(context.Background(), process(t, 2))
	if err == nil || !strings.Contains(err.Error(), "is not known any more") || len(report.Recovered) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	for _, text := range []string{"a", "b", "c", "e"} {
		if s.hasBlob(text) {
			t.Errorf("blob %s is left", text)
		}
	}
	checkNothingOfOurs(t, s.store)
	if _, err := s.run(context.Background(), process(t, 2)); err != nil {
		t.Errorf("the run after that: %v", err)
	}
}
