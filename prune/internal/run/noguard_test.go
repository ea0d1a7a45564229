package run_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// unguardedRun plans and executes without a guard.
func unguardedRun(s *tw.Scene) (*run.Report, error) {
	s.T.Helper()
	procfs := tw.Process(s.T, 1)
	return run.Execute(context.Background(), s.Plan(procfs), s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs, NoGuard: true})
}

// diskStore is a store of a daemon whose disk can be looked at.
type diskStore struct {
	*tw.Tape
	why syscall.Errno // 0 if the disk is sound
}

func (s diskStore) Abilities() store.Abilities { return store.Abilities{Disk: s} }

func (s diskStore) TakesNothing(context.Context) (syscall.Errno, bool) { return s.why, s.why != 0 }

// A disk that takes neither lease nor plan is told of, with what helps, and
// nothing is removed. What a daemon says in words is not believed: its disk is
// looked at.
func TestDiskTakesNoGuard(t *testing.T) {
	words := fmt.Errorf("image \"no space left on device\": input/output error: %w", errdefs.ErrUnknown)
	for name, test := range map[string]struct {
		err  error
		disk syscall.Errno
		want syscall.Errno
		says string
		code cause.Code
	}{
		"full":                       {err: fmt.Errorf("write: %w", syscall.ENOSPC), want: syscall.ENOSPC, says: "the disk is full", code: "disk-full"},
		"read-only":                  {err: fmt.Errorf("write: %w", syscall.EROFS), want: syscall.EROFS, says: "read-only", code: "store-read-only"},
		"failing":                    {err: fmt.Errorf("write: %w", syscall.EIO), want: syscall.EIO, says: "the disk of the store reports errors", code: "disk-failing"},
		"full and failing":           {err: errors.Join(syscall.ENOSPC, syscall.EIO), want: syscall.EIO, says: "the disk of the store reports errors", code: "disk-failing"},
		"full, in a daemon":          {err: words, disk: syscall.ENOSPC, want: syscall.ENOSPC, says: "the disk is full", code: "disk-full"},
		"read-only, in a daemon":     {err: words, disk: syscall.EROFS, want: syscall.EROFS, says: "read-only", code: "store-read-only"},
		"in words only":              {err: words, says: "nothing was removed"},
		"full, but that is not it":   {err: fmt.Errorf("no: %w", errdefs.ErrPermissionDenied), disk: syscall.ENOSPC, says: "no"},
		"full, and nobody looks yet": {err: errors.New("no space left on device"), disk: syscall.ENOSPC, says: "no space left"},
	} {
		for _, call := range []string{"lease ctr-prune", "write"} {
			t.Run(call+", "+name, func(t *testing.T) {
				s := tw.NewScene(t, tw.Small())
				s.Tape.Before = tw.On(call, func() error { return test.err })
				procfs := tw.Process(t, 1)
				_, err := run.Execute(context.Background(), s.Plan(procfs), diskStore{s.Tape, test.disk}, run.ExecuteOptions{Now: time.Now, Procfs: procfs})
				var guard *run.GuardError
				if errors.As(err, &guard) != (test.want != 0) || guard != nil && (guard.Errno != test.want || !errors.Is(err, test.want)) {
					t.Fatalf("got %v", err)
				}
				text := err.Error()
				if guard != nil && !strings.Contains(text, test.says) || cause.CodeOf(err) != test.code {
					t.Errorf("it says %s", text)
				}
				tw.CheckRecordNames(t, s, "x:1", "x:2")
				tw.CheckNothingOfOurs(t, s.Store)
			})
		}
	}
}

// Without a guard nothing is written before the last deletion, but for what
// must be: stand-ins.
func TestNoGuardInOrder(t *testing.T) {
	s := tw.NewScene(t, tw.Small(tw.Blob("c"), tw.Record("y:1", "c"), tw.Container("c", tw.Digest("c").String(), "")))
	report, err := unguardedRun(s)
	if err != nil || report.Reclaimed.Blobs != 3 || len(report.Untagged) != 3 {
		t.Errorf("%+v, %v", report, err)
	}
	text := s.Tape.Script()
	if writes := strings.Index(text, "write"); writes >= 0 {
		t.Errorf("a blob was written: %s", text)
	}
	const end = "look, lease ctr-prune, free ctr-prune and collect, look"
	if !strings.HasSuffix(text, end) || !strings.HasPrefix(text, "look, create <none>@«c», delete ") {
		t.Errorf("calls: %s", text)
	}
	tw.CheckNothingOfOurs(t, s.Store)
}

// Nothing holds what is deleted: what a collection took cannot come back, and
// no record of it is made. What it did not take comes back.
func TestNoGuardPutsBackWhatIsWhole(t *testing.T) {
	for _, collected := range []bool{true, false} {
		s := tw.NewScene(t, tw.Small())
		s.Tape.After = tw.On("delete x:2", func() error {
			if collected {
				tw.Must(0, run.IgnoreNotFound(s.Store.Images().Delete(s.Ctx, "x:1"))) // it goes side by side
				s.Collect()
			}
			s.Add(tw.Container("late", "x:2", ""))
			return nil
		})
		report, err := unguardedRun(s)
		switch {
		case collected && (err == nil || !strings.Contains(err.Error(), `image "x:2" in namespace "default" cannot be restored although it is needed`) || len(report.Errors) != 1):
			t.Errorf("%v", err)
		case !collected && (err != nil || len(report.Restored) != 1):
			t.Errorf("%+v, %v", report, err)
		}
		if collected {
			tw.CheckRecordNames(t, s)
		} else {
			tw.CheckRecordNames(t, s, "x:2")
		}
	}
}

// A run under way is respected, and one that was killed is finished.
func TestNoGuardAndOtherRuns(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	procfs := tw.Process(t, 1)
	other := lock.Locker{Manager: s.Store.Leases(), Procfs: procfs}
	tw.Must(0, other.Lock(s.Ctx, "default", lock.Run{Name: "other", Owner: procfs.Self(), Expires: time.Now().Add(time.Hour)}, time.Now()))
	var busy *lock.Busy
	if _, err := run.Execute(context.Background(), s.Plan(procfs), s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs, NoGuard: true}); !errors.As(err, &busy) {
		t.Errorf("got %v", err)
	}
	tw.CheckRecordNames(t, s, "x:1", "x:2")
	tw.Must(0, tw.FreeLock(s.Ctx, s.Store))

	s.Crash("free ctr-prune and collect")
	later := tw.Process(t, 2)
	report, err := run.Execute(context.Background(), s.Plan(later), s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: later, NoGuard: true})
	if err != nil || len(report.Recovered) != 1 || s.HasBlob("a") {
		t.Errorf("%+v, %v", report, err)
	}
	tw.CheckNothingOfOurs(t, s.Store)
}

// A grace is a lease, so it cannot be had without one.
func TestNoGuardWithGrace(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	_, err := run.Execute(context.Background(), s.Plan(tw.Process(t, 1)), s.Tape, run.ExecuteOptions{Now: time.Now, Grace: time.Hour, NoGuard: true})
	if !errdefs.IsInvalidArgument(err) {
		t.Errorf("got %v", err)
	}
	tw.CheckRecordNames(t, s, "x:1", "x:2")
}

// Where no lease can be made even in the end the run says so, and still tells
// what it did.
func TestNoGuardCannotCollect(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	s.Tape.Before = tw.On("lease ctr-prune", func() error { return syscall.ENOSPC })
	report, err := unguardedRun(s)
	if err == nil || !strings.Contains(err.Error(), "could not request a garbage collection") || len(report.Untagged) != 2 || report.Reclaimed.Blobs != 0 {
		t.Errorf("%+v, %v", report, err)
	}
}
