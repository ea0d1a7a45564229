package prune

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/document"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
)

// many is a namespace with n unused images of a blob each.
func many(n int) world {
	var things []thing
	for i := range n {
		text := fmt.Sprintf("blob %d", i)
		things = append(things, blob(text), record(fmt.Sprintf("x:%03d", i), text))
	}
	return world{"default": things}
}

// errGone is what every call answers when no server is there.
var errGone = fmt.Errorf("connection refused: %w", errdefs.ErrUnavailable)

// leaves makes the server of a scene go away at the nth deletion of a record,
// which is not made. It returns how many were asked for.
func (s *scene) leaves(nth int32) *atomic.Int32 {
	var deletions atomic.Int32
	s.tape.down = func(string) error {
		if deletions.Load() >= nth {
			return errGone
		}
		return nil
	}
	s.tape.before = func(call string) error {
		if strings.HasPrefix(call, "delete") {
			deletions.Add(1)
		}
		return s.tape.down(call)
	}
	return &deletions
}

// With the server gone nothing more is tried, and that is told once. The next
// run finishes it.
func TestServerGoesAway(t *testing.T) {
	const n = 200
	for _, nth := range []int32{1, 50, n} {
		t.Run(fmt.Sprint(nth), func(t *testing.T) {
			s := newScene(t, many(n))
			asked := s.leaves(nth)
			report, err := s.run(context.Background(), leases.Procfs{})
			var gone *run.GoneError
			if !errors.As(err, &gone) || !errdefs.IsUnavailable(err) || len(report.Errors) != 1 {
				t.Fatalf("the run ended with %v", err)
			}
			there := len(s.records())
			if !gone.Held || gone.Planned != n || gone.Untried != there || report.Untried != there || report.Interrupted || report.Measured {
				t.Errorf("%d records are there: %+v, untried %d, interrupted %v, measured %v", there, gone, report.Untried, report.Interrupted, report.Measured)
			}
			if tried := asked.Load(); tried > nth+run.Deleters {
				t.Errorf("%d deletions were tried, the server went at %d", tried, nth)
			}
			for _, part := range []string{"connection refused", fmt.Sprintf("%d of %d image records are left", there, n), "still held for the next run to finish"} {
				if !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%q does not tell %q in one line", err, part)
				}
			}
			s.tape.before, s.tape.down = nil, nil
			s.collect()
			again, err := s.run(context.Background(), leases.Procfs{})
			if err != nil || len(again.Recovered) != 1 || len(again.Recovered[0].Untagged)+len(again.Untagged) != n {
				t.Errorf("%+v, %v", again, err)
			}
			checkRecordNames(t, s)
			checkNothingOfOurs(t, s.store)
		})
	}
}

// A server that is back when the run looks again gets its run finished; what
// was left is told.
func TestServerComesBack(t *testing.T) {
	const n = 100
	s := newScene(t, many(n))
	deletions := s.leaves(10)
	leaves := s.tape.before
	s.tape.before = func(call string) error {
		if call == "look" {
			deletions.Store(0)
		}
		return leaves(call)
	}
	report, err := s.run(context.Background(), leases.Procfs{})
	var gone *run.GoneError
	if !errors.As(err, &gone) || gone.Held || len(report.Errors) != 1 || !report.Measured {
		t.Fatalf("%+v, %v", report, err)
	}
	there := len(s.records())
	if there == 0 || gone.Untried != there || len(report.Untagged) != n-there || !strings.Contains(err.Error(), "run it again for the rest") {
		t.Errorf("%d records are there, untagged %d, %v", there, len(report.Untagged), err)
	}
	checkNothingOfOurs(t, s.store)
}

// One call that fails, or one service that does not answer, is no server that
// is gone: the other records are tried.
func TestServerStays(t *testing.T) {
	s := newScene(t, many(50))
	fails := func(call string) error {
		if strings.HasSuffix(call, " x:001") || call == "delete x:002" {
			return errGone
		}
		return nil
	}
	s.tape.before, s.tape.down = fails, fails
	report, err := s.run(context.Background(), leases.Procfs{})
	var gone *run.GoneError
	if err == nil || errors.As(err, &gone) || len(report.Untagged) != 48 || report.Untried != 0 || len(report.Errors) != 2 {
		t.Errorf("untagged %d, untried %d, %v", len(report.Untagged), report.Untried, err)
	}
	checkRecordNames(t, s, "x:001", "x:002")
}

// Stand-ins that cannot be made for want of a server are not told of one by
// one, and what they were to stand in for stays.
func TestServerGoesAwayBeforeStandIns(t *testing.T) {
	const n = 20
	w := many(n)
	for i := range n {
		w["default"] = append(w["default"], container(fmt.Sprintf("c%d", i), dig(fmt.Sprintf("blob %d", i)).String(), ""))
	}
	s := newScene(t, w)
	gone := false
	s.tape.before = func(call string) error {
		if gone = gone || strings.HasPrefix(call, "create"); gone {
			return errGone
		}
		return nil
	}
	s.tape.down = func(string) error { return s.tape.before("") }
	report, err := s.run(context.Background(), leases.Procfs{})
	if err == nil || len(report.Errors) != 1 || report.Untried != n {
		t.Errorf("untried %d, %v", report.Untried, err)
	}
	if slices.ContainsFunc(s.tape.calls, func(c string) bool { return strings.HasPrefix(c, "delete") }) {
		t.Error("records were deleted without their stand-ins")
	}
}

// An interrupted run tells how many records it did not come to, as well.
func TestInterruptedRunTellsWhatIsLeft(t *testing.T) {
	s := newScene(t, many(100))
	ctx, cancel := context.WithCancel(context.Background())
	s.tape.before = func(call string) error {
		if call > "delete x:010" && call < "delete x:~" {
			<-ctx.Done() // they must not all be done before it is interrupted
		}
		return nil
	}
	s.tape.after = on("delete x:005", func() error { cancel(); return nil })
	report, err := s.run(ctx, leases.Procfs{})
	if err != nil || !report.Interrupted || report.Untried == 0 || report.Untried > len(s.records()) {
		t.Errorf("%d records are there, untried %d, interrupted %v, %v", len(s.records()), report.Untried, report.Interrupted, err)
	}
	if doc := document.ReportDocument(report); doc.Untried != report.Untried {
		t.Errorf("the document says %d", doc.Untried)
	}
}
