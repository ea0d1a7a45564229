package prune

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/leases"
)

// A run may outlast its lease, where the machine sleeps for hours. Then nothing
// held what it deleted, so that no image is put back without its content; and
// a lease that another run has taken since is not given up for it.
func TestRunOutlastsItsLease(t *testing.T) {
	for name, next := range map[string]func(*scene, leases.Locker, leases.Run){
		"nobody came":      func(*scene, leases.Locker, leases.Run) {},
		"another run came": func(s *scene, l leases.Locker, run leases.Run) { must(0, l.Lock(s.ctx, "default", run, run.Start)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t, small())
			procfs := process(t, 1)
			locker, slept := leases.Locker{Manager: s.store.Leases(), Procfs: procfs}, time.Duration(0)
			now := func() time.Time { return time.Now().Add(slept) }
			s.tape.after = on("delete x:1", func() error {
				slept = 2 * time.Hour
				must(0, locker.Unlock(s.ctx, false)) // as a collection does with what expired
				s.collect()
				next(s, locker, leases.Run{Name: "theirs", Owner: procfs.Self(), Start: now(), Expires: now().Add(time.Hour)})
				s.add(container("c", "x:1", ""))
				return nil
			})
			report, err := s.plan(procfs).Execute(context.Background(), s.tape, ExecuteOptions{Now: now, Procfs: procfs})
			if !errdefs.IsFailedPrecondition(err) || !strings.Contains(err.Error(), "expired at") || !strings.Contains(err.Error(), "pull it again") {
				t.Errorf("%v", err)
			}
			if len(report.Restored) != 0 || len(report.Untagged) != 2 {
				t.Errorf("restored %v, untagged %v", report.Restored, report.Untagged)
			}
			checkRecordNames(t, s)
			var left []string
			for _, lease := range must(s.store.Leases().List(s.ctx)) {
				run, _ := leases.ParseRun(lease)
				left = append(left, run.Name)
			}
			if want := map[bool]string{true: "theirs"}[name == "another run came"]; strings.Join(left, ", ") != want {
				t.Errorf("the leases of %v are left, want %q", left, want)
			}
		})
	}
}
