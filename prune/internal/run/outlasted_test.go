package run_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A run may outlast its lease, where the machine sleeps for hours. Then nothing
// held what it deleted, so that no image is put back without its content; and
// a lease that another run has taken since is not given up for it.
func TestRunOutlastsItsLease(t *testing.T) {
	for name, next := range map[string]func(*tw.Scene, lock.Locker, lock.Run){
		"nobody came": func(*tw.Scene, lock.Locker, lock.Run) {},
		"another run came": func(s *tw.Scene, l lock.Locker, run lock.Run) {
			tw.Must(0, l.Lock(s.Ctx, "default", run, run.Start))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := tw.NewScene(t, tw.Small())
			procfs := tw.Process(t, 1)
			locker := lock.Locker{Manager: s.Store.Leases(), Procfs: procfs}
			var slept atomic.Int64
			now := func() time.Time { return time.Now().Add(time.Duration(slept.Load())) }
			s.Tape.After = tw.On("delete x:1", func() error {
				slept.Store(int64(2 * time.Hour))
				tw.Must(0, tw.FreeLock(s.Ctx, s.Store)) // as a collection does with what expired
				s.Collect()
				next(s, locker, lock.Run{Name: "theirs", Owner: procfs.Self(), Start: now(), Expires: now().Add(time.Hour)})
				s.Add(tw.Container("c", "x:1", ""))
				return nil
			})
			report, err := run.Execute(context.Background(), s.Plan(procfs), s.Tape, run.ExecuteOptions{Now: now, Procfs: procfs})
			if !errdefs.IsFailedPrecondition(err) || !strings.Contains(err.Error(), "expired at") || !strings.Contains(err.Error(), "pull it again") {
				t.Errorf("%v", err)
			}
			// The other deletion may have been on its way already.
			if len(report.Restored) != 0 || len(report.Untagged)+report.Untried != 2 || report.Untagged[0].Name != "x:1" {
				t.Errorf("restored %v, untagged %v, untried %d", report.Restored, report.Untagged, report.Untried)
			}
			tw.CheckRecordNames(t, s, []string{"x:2"}[:report.Untried]...)
			var left []string
			for _, lease := range tw.Must(s.Store.Leases().List(s.Ctx)) {
				run, _ := lock.ParseRun(lease)
				left = append(left, run.Name)
			}
			if want := map[bool]string{true: "theirs"}[name == "another run came"]; strings.Join(left, ", ") != want {
				t.Errorf("the leases of %v are left, want %q", left, want)
			}
		})
	}
}

// A run ends its deleting while its lease still lasts long enough for the rest.
func TestRunEndsBeforeItsLease(t *testing.T) {
	s := tw.NewScene(t, tw.Small())
	procfs := tw.Process(t, 1)
	var slept atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(slept.Load())) }
	s.Tape.After = tw.On("write", func() error { slept.Store(int64(51 * time.Minute)); return nil })
	report, err := run.Execute(context.Background(), s.Plan(procfs), s.Tape, run.ExecuteOptions{Now: now, Procfs: procfs})
	if err == nil || !strings.Contains(err.Error(), "deleting was stopped") || report.Untried != 2 || len(report.Untagged) != 0 {
		t.Errorf("untried %d, untagged %v, %v", report.Untried, report.Untagged, err)
	}
	tw.CheckRecordNames(t, s, "x:1", "x:2")
	if left := tw.Must(s.Store.Leases().List(s.Ctx)); len(left) != 0 {
		t.Errorf("leases are left: %v", left)
	}
}
