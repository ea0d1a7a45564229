package run_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A run that is under way is not touched; who comes is told whose it is.
func TestTwoRuns(t *testing.T) {
	for _, when := range []string{"look", "write", "delete x:1", "free ctr-prune and collect"} {
		t.Run(when, func(t *testing.T) {
			s := tw.NewScene(t, tw.Small())
			first := proc.Procfs{} // of this very process
			s.Tape.Before = tw.On(when, func() error {
				second := s.Plan(first)
				report, err := run.Execute(context.Background(), second, tw.Singly(s.Store), run.ExecuteOptions{Now: time.Now, Procfs: first})
				var busy *lock.Busy
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
			report, err := s.Run(context.Background(), first)
			if err != nil || len(report.Untagged) != 2 || report.Reclaimed.Blobs != 3 {
				t.Errorf("the first run: %+v, %v", report, err)
			}
			tw.CheckNothingOfOurs(t, s.Store)
		})
	}
}

// The locks that were taken before one was found taken are given back.
func TestBusyElsewhere(t *testing.T) {
	w := tw.Small()
	w["other"] = w["default"]
	s := tw.NewScene(t, w)
	plan, procfs := s.Plan(tw.Process(t, 1)), tw.Process(t, 1)
	other := store.InNamespace(context.Background(), "other")
	r := lock.Run{Name: "theirs", Owner: procfs.Self(), Start: time.Now(), Expires: time.Now().Add(time.Hour)}
	tw.Must(0, lock.Locker{Manager: s.Store.Leases(), Procfs: procfs}.Lock(other, "other", r, time.Now()))
	report, err := run.Execute(context.Background(), plan, s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs})
	var busy *lock.Busy
	if !errors.As(err, &busy) || busy.Namespace != "other" || report != nil {
		t.Errorf("%+v, %v", report, err)
	}
	if found := tw.Must(s.Store.Leases().List(s.Ctx)); len(found) != 0 {
		t.Errorf("left %v", found)
	}
	tw.CheckRecordNames(t, s, "x:1", "x:2")
}

// What a run has finished for a killed one is reported, although it finds the
// next namespace taken.
func TestBusyAfterARecovery(t *testing.T) {
	w := tw.Small()
	w["other"] = w["default"]
	s := tw.NewScene(t, w)
	s.Crash("free ctr-prune")
	s.Add(tw.Container("c", "x:1", ""))
	plan, procfs := s.Plan(tw.Process(t, 2)), tw.Process(t, 2)
	other := lock.Locker{Manager: s.Store.Leases(), Procfs: procfs}
	s.Tape.After = tw.On("create x:1", func() error {
		ctx := store.InNamespace(context.Background(), "other")
		run := lock.Run{Name: "theirs", Owner: procfs.Self(), Start: time.Now(), Expires: time.Now().Add(time.Hour)}
		return errors.Join(tw.FreeLock(ctx, s.Store), other.Lock(ctx, "other", run, time.Now()))
	})
	report, err := run.Execute(context.Background(), plan, s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs})
	var busy *lock.Busy
	if !errors.As(err, &busy) || busy.Namespace != "other" {
		t.Fatalf("%+v, %v", report, err)
	}
	if report == nil || len(report.Recovered) != 1 || len(report.Recovered[0].Restored) != 1 || len(report.Errors) != 1 || report.Errors[0].ReasonCode != cause.CodeBusy {
		t.Errorf("%+v", report)
	}
}

// Of two that would finish a killed run one does, wherever the other comes in.
func TestTwoRecoverers(t *testing.T) {
	claim := ""
	for _, when := range []string{"claim", "create x:1", "free ctr-prune", "lease ctr-prune", "write"} {
		t.Run(when, func(t *testing.T) {
			s := tw.NewScene(t, tw.Small())
			s.Crash("free ctr-prune and collect")
			s.Add(tw.Container("c", "x:1", ""))
			procfs := tw.Process(t, 2)
			late := s.Plan(procfs) // it has seen the killed run's lease
			once := false
			locks := 0
			s.Tape.After = func(call string) error {
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
				_, err := run.Execute(context.Background(), late, tw.Singly(s.Store), run.ExecuteOptions{Now: time.Now, Procfs: procfs})
				var busy *lock.Busy
				if when != "free ctr-prune" && !errors.As(err, &busy) {
					t.Errorf("the late one: %v", err)
				}
				return nil
			}
			report, err := s.Run(context.Background(), procfs)
			var busy *lock.Busy
			if when == "free ctr-prune" && errors.As(err, &busy) {
				return // between the two leases the late one may be the winner
			}
			if err != nil || len(report.Recovered) != 1 || len(report.Recovered[0].Restored) != 1 {
				t.Fatalf("%+v, %v", report, err)
			}
			if !once {
				t.Fatal("the late one never came")
			}
			tw.CheckRecordNames(t, s, "x:1")
			tw.CheckNothingOfOurs(t, s.Store)
		})
	}
	if claim == "" {
		t.Error("nobody claimed the killed run")
	}
}
