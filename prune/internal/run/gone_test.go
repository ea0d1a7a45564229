package run_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/document"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// many is a namespace with n unused images of a blob each.
func many(n int) tw.World {
	var things []tw.Thing
	for i := range n {
		text := fmt.Sprintf("blob %d", i)
		things = append(things, tw.Blob(text), tw.Record(fmt.Sprintf("x:%03d", i), text))
	}
	return tw.World{"default": things}
}

// errGone is what every call answers when no server is there.
var errGone = fmt.Errorf("connection refused: %w", errdefs.ErrUnavailable)

// leaves makes the server of a scene go away at the nth deletion of a record,
// which is not made. It returns how many were asked for.
func leaves(s *tw.Scene, nth int32) *atomic.Int32 {
	var deletions atomic.Int32
	s.Tape.Down = func(string) error {
		if deletions.Load() >= nth {
			return errGone
		}
		return nil
	}
	s.Tape.Before = func(call string) error {
		if strings.HasPrefix(call, "delete") {
			deletions.Add(1)
		}
		return s.Tape.Down(call)
	}
	return &deletions
}

// With the server gone nothing more is tried, and that is told once. The next
// run finishes it.
func TestServerGoesAway(t *testing.T) {
	const n = 200
	for _, nth := range []int32{1, 50, n} {
		t.Run(fmt.Sprint(nth), func(t *testing.T) {
			s := tw.NewScene(t, many(n))
			asked := leaves(s, nth)
			report, err := s.Run(context.Background(), proc.Procfs{})
			var gone *run.GoneError
			if !errors.As(err, &gone) || !errdefs.IsUnavailable(err) || len(report.Errors) != 1 {
				t.Fatalf("the run ended with %v", err)
			}
			there := len(s.Records())
			if !gone.Held || gone.Planned != n || gone.Untried != there || report.Untried != there || report.Interrupted || report.Measured {
				t.Errorf("%d records are there: %+v, untried %d, interrupted %v, measured %v", there, gone, report.Untried, report.Interrupted, report.Measured)
			}
			if tried := asked.Load(); tried > nth+run.Deleters {
				t.Errorf("%d deletions were tried, the server went at %d", tried, nth)
			}
			for _, part := range []string{"connection refused", fmt.Sprintf("%d of %d image records were not tried", there, n), "still held until the next run finishes it"} {
				if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%q does not tell %q in one line", err, part)
				}
			}
			s.Tape.Before, s.Tape.Down = nil, nil
			s.Collect()
			again, err := s.Run(context.Background(), proc.Procfs{})
			if err != nil || len(again.Recovered) != 1 || len(again.Recovered[0].Untagged)+len(again.Untagged) != n {
				t.Errorf("%+v, %v", again, err)
			}
			tw.CheckRecordNames(t, s)
			tw.CheckNothingOfOurs(t, s.Store)
		})
	}
}

// A server that is back when the run looks again gets its run finished; what
// was left is told.
func TestServerComesBack(t *testing.T) {
	const n = 100
	s := tw.NewScene(t, many(n))
	deletions := leaves(s, 10)
	leaves := s.Tape.Before
	s.Tape.Before = func(call string) error {
		if call == "look" {
			deletions.Store(0)
		}
		return leaves(call)
	}
	report, err := s.Run(context.Background(), proc.Procfs{})
	var gone *run.GoneError
	if !errors.As(err, &gone) || gone.Held || len(report.Errors) != 1 || report.Errors[0].ReasonCode != cause.CodeServerGone || !report.Measured {
		t.Fatalf("%+v, %v", report, err)
	}
	there := len(s.Records())
	if there == 0 || gone.Untried != there || len(report.Untagged) != n-there || !strings.Contains(err.Error(), "run it again for the rest") {
		t.Errorf("%d records are there, untagged %d, %v", there, len(report.Untagged), err)
	}
	tw.CheckNothingOfOurs(t, s.Store)
}

// One call that fails, or one service that does not answer, is no server that
// is gone: the other records are tried.
func TestServerStays(t *testing.T) {
	s := tw.NewScene(t, many(50))
	fails := func(call string) error {
		if strings.HasSuffix(call, " x:001") || call == "delete x:002" {
			return errGone
		}
		return nil
	}
	s.Tape.Before, s.Tape.Down = fails, fails
	report, err := s.Run(context.Background(), proc.Procfs{})
	var gone *run.GoneError
	if err == nil || errors.As(err, &gone) || len(report.Untagged) != 48 || report.Untried != 0 || len(report.Errors) != 2 {
		t.Errorf("untagged %d, untried %d, %v", len(report.Untagged), report.Untried, err)
	}
	tw.CheckRecordNames(t, s, "x:001", "x:002")
}

// Stand-ins that cannot be made for want of a server are not told of one by
// one, and what they were to stand in for stays.
func TestServerGoesAwayBeforeStandIns(t *testing.T) {
	const n = 20
	w := many(n)
	for i := range n {
		w["default"] = append(w["default"], tw.Container(fmt.Sprintf("c%d", i), tw.Digest(fmt.Sprintf("blob %d", i)).String(), ""))
	}
	s := tw.NewScene(t, w)
	gone := false
	s.Tape.Before = func(call string) error {
		if gone = gone || strings.HasPrefix(call, "create"); gone {
			return errGone
		}
		return nil
	}
	s.Tape.Down = func(string) error { return s.Tape.Before("") }
	report, err := s.Run(context.Background(), proc.Procfs{})
	if err == nil || len(report.Errors) != 1 || report.Untried != n {
		t.Errorf("untried %d, %v", report.Untried, err)
	}
	if slices.ContainsFunc(s.Tape.Calls, func(c string) bool { return strings.HasPrefix(c, "delete") }) {
		t.Error("records were deleted without their stand-ins")
	}
}

// An interrupted run tells how many records it did not come to, as well.
func TestInterruptedRunTellsWhatIsLeft(t *testing.T) {
	s := tw.NewScene(t, many(100))
	ctx, cancel := context.WithCancel(context.Background())
	s.Tape.Before = func(call string) error {
		if call > "delete x:010" && call < "delete x:~" {
			<-ctx.Done() // they must not all be done before it is interrupted
		}
		return nil
	}
	s.Tape.After = tw.On("delete x:005", func() error { cancel(); return nil })
	report, err := s.Run(ctx, proc.Procfs{})
	if err != nil || !report.Interrupted || report.Untried == 0 || report.Untried > len(s.Records()) {
		t.Errorf("%d records are there, untried %d, interrupted %v, %v", len(s.Records()), report.Untried, report.Interrupted, err)
	}
	if doc := document.ReportDocument(report); doc.Untried != report.Untried {
		t.Errorf("the document says %d", doc.Untried)
	}
}
