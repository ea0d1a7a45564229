package run_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A run that failed with its lease left is over when Execute returns: the next
// one of the same process finishes it, without waiting for any expiry.
func TestFailedRunIsFinishedByItsOwnProcess(t *testing.T) {
	for call, untagged := range map[string]string{
		"look": "", "write": "", "delete x:1": "x:2", "free ctr-prune and collect": "x:1, x:2",
	} {
		t.Run(call, func(t *testing.T) {
			s := tw.NewScene(t, tw.Small())
			s.CrashIn(proc.Procfs{}, call)
			s.Collect()
			if !s.HasBlob("a") || !s.HasBlob("b") || !s.HasBlob("e") {
				t.Error("what the failed run was about is lost")
			}
			report, err := s.Run(context.Background(), proc.Procfs{})
			if err != nil || len(report.Recovered) != 1 || tw.NamesOf(report.Recovered[0].Untagged) != untagged {
				t.Fatalf("%+v, %v", report, err)
			}
			tw.CheckRecordNames(t, s)
			if s.HasBlob("a") || s.HasBlob("b") || s.HasBlob("e") {
				t.Error("nothing was collected")
			}
			tw.CheckNothingOfOurs(t, s.Store)
		})
	}
}

// So is one that was interrupted and had no time left to finish.
func TestInterruptedRunIsFinishedByItsOwnProcess(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.Tape.Before = func(call string) error {
		switch {
		case call == "delete x:1":
			cancel()
		case call == "look" && ctx.Err() != nil:
			return context.DeadlineExceeded
		}
		return nil
	}
	report, err := s.Run(ctx, proc.Procfs{})
	if !errors.Is(err, context.DeadlineExceeded) || !report.Interrupted {
		t.Fatalf("%+v, %v", report, err)
	}
	s.Tape.Before = nil
	report, err = s.Run(context.Background(), proc.Procfs{})
	if err != nil || len(report.Recovered) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	tw.CheckRecordNames(t, s)
	tw.CheckNothingOfOurs(t, s.Store)
}

// While a run lasts, others of its process do not take it for one that failed,
// not even while it finishes one that did.
func TestRunUnderWayInTheSameProcess(t *testing.T) {
	for when, unfinished := range map[string]bool{
		"look": true, "create x:2": true, "write": false, "delete x:1": false,
	} {
		t.Run(when, func(t *testing.T) {
			s := tw.NewScene(t, tw.Small())
			s.CrashIn(proc.Procfs{}, "delete x:1")
			s.Add(tw.Container("c", "x:2", ""))
			asked := false
			s.Tape.Before = tw.On(when, func() error {
				asked = true
				other := s.Plan(proc.Procfs{})
				if got := len(other.Interrupted()) > 0; got != unfinished {
					t.Errorf("a killed run waits to be finished: %v, want %v", got, unfinished)
				}
				_, err := run.Execute(context.Background(), other, tw.Singly(s.Store), run.ExecuteOptions{Now: time.Now})
				if busy := (*lock.Busy)(nil); !errors.As(err, &busy) {
					t.Errorf("another run beside it: %v", err)
				}
				return nil
			})
			report, err := s.Run(context.Background(), proc.Procfs{})
			if err != nil || len(report.Recovered) != 1 || !asked {
				t.Fatalf("%+v, %v, asked %v", report, err, asked)
			}
			tw.CheckRecordNames(t, s, "x:2")
			tw.CheckNothingOfOurs(t, s.Store)
		})
	}
}

// A run that comes while another takes over, and fails as well, is taken over
// in turn.
func TestFailedRunsInARow(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	s.CrashIn(proc.Procfs{}, "delete x:1")
	between := 0
	s.Tape.After = func(call string) error {
		if call != "free ctr-prune" || between == 3 {
			return nil
		}
		between++
		owner, end := proc.Procfs{}.Begin()
		defer end()
		run := lock.Run{Name: fmt.Sprint("between ", between), Owner: owner, Start: time.Now(), Expires: time.Now().Add(time.Hour)}
		return lock.Locker{Manager: s.Store.Leases()}.Lock(s.Ctx, "default", run, time.Now())
	}
	report, err := s.Run(context.Background(), proc.Procfs{})
	if err != nil || len(report.Recovered) != 4 {
		t.Fatalf("%+v, %v", report, err)
	}
	tw.CheckRecordNames(t, s)
	tw.CheckNothingOfOurs(t, s.Store)
}

// What a run decides again it decides as before: an image that stays only as part
// of another, which is used by a container that names no image, is no reason for
// which that other may go.
func TestPartOfWhatIsUsedDecidesNothing(t *testing.T) {
	s := tw.NewScene(t, tw.World{"default": {
		tw.Snapshot("top", ""), tw.Active("mine", "top"), tw.Container("c", "", "mine"),
		tw.Blob("config", tw.RefSnapshot("top")), tw.Blob("manifest", tw.RefContent("config")), tw.Blob("index", tw.RefContent("manifest")),
		tw.Record("part:1", "manifest"), tw.Record("whole:1", "index"),
	}})
	report, err := s.Run(context.Background(), tw.Process(t, 1))
	if err != nil || len(report.Skipped) > 0 || len(report.Untagged) != 1 {
		t.Errorf("untagged %v, skipped %+v, %v", report.Untagged, report.Skipped, err)
	}
}
