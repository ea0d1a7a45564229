package prune

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
)

// A run that failed with its lease left is over when Execute returns: the next
// one of the same process finishes it, without waiting for any expiry.
func TestFailedRunIsFinishedByItsOwnProcess(t *testing.T) {
	for call, untagged := range map[string]string{
		"look": "", "write": "", "delete x:1": "x:2", "free ctr-prune and collect": "x:1, x:2",
	} {
		t.Run(call, func(t *testing.T) {
			s := newScene(t, small())
			s.crashIn(leases.Procfs{}, call)
			s.collect()
			if !s.hasBlob("a") || !s.hasBlob("b") || !s.hasBlob("e") {
				t.Error("what the failed run was about is lost")
			}
			report, err := s.run(context.Background(), leases.Procfs{})
			if err != nil || len(report.Recovered) != 1 || names(report.Recovered[0].Untagged) != untagged {
				t.Fatalf("%+v, %v", report, err)
			}
			checkRecordNames(t, s)
			if s.hasBlob("a") || s.hasBlob("b") || s.hasBlob("e") {
				t.Error("nothing was collected")
			}
			checkNothingOfOurs(t, s.store)
		})
	}
}

// So is one that was interrupted and had no time left to finish.
func TestInterruptedRunIsFinishedByItsOwnProcess(t *testing.T) {
	s := newScene(t, small())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.tape.before = func(call string) error {
		switch {
		case call == "delete x:1":
			cancel()
		case call == "look" && ctx.Err() != nil:
			return context.DeadlineExceeded
		}
		return nil
	}
	report, err := s.run(ctx, leases.Procfs{})
	if !errors.Is(err, context.DeadlineExceeded) || !report.Interrupted {
		t.Fatalf("%+v, %v", report, err)
	}
	s.tape.before = nil
	report, err = s.run(context.Background(), leases.Procfs{})
	if err != nil || len(report.Recovered) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	checkRecordNames(t, s)
	checkNothingOfOurs(t, s.store)
}

// While a run lasts, others of its process do not take it for one that failed,
// not even while it finishes one that did.
func TestRunUnderWayInTheSameProcess(t *testing.T) {
	for when, unfinished := range map[string]bool{
		"look": true, "create x:2": true, "write": false, "delete x:1": false,
	} {
		t.Run(when, func(t *testing.T) {
			s := newScene(t, small())
			s.crashIn(leases.Procfs{}, "delete x:1")
			s.add(container("c", "x:2", ""))
			asked := false
			s.tape.before = on(when, func() error {
				asked = true
				other := s.plan(leases.Procfs{})
				if got := len(other.Interrupted()) > 0; got != unfinished {
					t.Errorf("a killed run waits to be finished: %v, want %v", got, unfinished)
				}
				_, err := run.Execute(context.Background(), other, untransactional{s.store}, run.ExecuteOptions{Now: time.Now})
				if busy := (*leases.Busy)(nil); !errors.As(err, &busy) {
					t.Errorf("another run beside it: %v", err)
				}
				return nil
			})
			report, err := s.run(context.Background(), leases.Procfs{})
			if err != nil || len(report.Recovered) != 1 || !asked {
				t.Fatalf("%+v, %v, asked %v", report, err, asked)
			}
			checkRecordNames(t, s, "x:2")
			checkNothingOfOurs(t, s.store)
		})
	}
}

// A run that comes while another takes over, and fails as well, is taken over
// in turn.
func TestFailedRunsInARow(t *testing.T) {
	s := newScene(t, small())
	s.crashIn(leases.Procfs{}, "delete x:1")
	between := 0
	s.tape.after = func(call string) error {
		if call != "free ctr-prune" || between == 3 {
			return nil
		}
		between++
		owner, end := leases.Procfs{}.Begin()
		defer end()
		run := leases.Run{Name: fmt.Sprint("between ", between), Owner: owner, Start: time.Now(), Expires: time.Now().Add(time.Hour)}
		return leases.Locker{Manager: s.store.Leases()}.Lock(s.ctx, "default", run, time.Now())
	}
	report, err := s.run(context.Background(), leases.Procfs{})
	if err != nil || len(report.Recovered) != 4 {
		t.Fatalf("%+v, %v", report, err)
	}
	checkRecordNames(t, s)
	checkNothingOfOurs(t, s.store)
}

// A repair that is interrupted leaves no lease.
func TestInterruptedRepairLeavesNothing(t *testing.T) {
	s := newScene(t, small())
	ctx, cancel := context.WithCancel(context.Background())
	s.tape.before = func(call string) error {
		if call == "write" {
			cancel()
			return ctx.Err()
		}
		return nil
	}
	findings := []check.Finding{{Problem: check.ProblemForgotten, Repairable: true}}
	if _, err := check.Repair(ctx, s.tape, findings, run.ExecuteOptions{Now: time.Now}); !errors.Is(err, context.Canceled) {
		t.Errorf("the repair ended with %v", err)
	}
	s.collect()
	checkNothingOfOurs(t, s.store)
}

// A repair that failed is over, too.
func TestFailedRepairIsFinishedByItsOwnProcess(t *testing.T) {
	s := newScene(t, small())
	s.tape.before = func(call string) error {
		if call == "write" || strings.HasPrefix(call, "free") {
			return errDown
		}
		return nil
	}
	findings := []check.Finding{{Problem: check.ProblemForgotten, Repairable: true}}
	if _, err := check.Repair(context.Background(), s.tape, findings, run.ExecuteOptions{Now: time.Now}); !errors.Is(err, errDown) {
		t.Fatalf("the repair ended with %v", err)
	}
	s.tape.before = nil
	if _, err := s.run(context.Background(), leases.Procfs{}); err != nil {
		t.Error(err)
	}
	checkNothingOfOurs(t, s.store)
}
