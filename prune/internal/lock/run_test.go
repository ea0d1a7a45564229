package lock

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	ours "github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
)

// alive and dead make runs of processes of the machine.
func (m machine) alive(name string, pid int) Run {
	m.runs(pid, 1000)
	return m.dead(name, pid)
}

func (m machine) dead(name string, pid int) Run {
	owner := proc.Owner{PID: pid, Start: 1000, BootID: bootNow, PIDNamespace: pidnsHere, Host: "node"}
	return Run{Name: name, Owner: owner, Start: noon, Expires: noon.Add(time.Hour)}
}

func TestLock(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	first := m.alive("first", 42)
	must(0, l.Lock(s.ctx, "test", first, noon))

	err := l.Lock(s.ctx, "test", m.alive("second", 43), noon)
	var busy *Busy
	if !errors.As(err, &busy) || !errdefs.IsAlreadyExists(err) {
		t.Fatalf("the second lock: %v, want a *Busy", err)
	}
	created := must(s.manager.List(s.ctx))[0].CreatedAt
	want := first
	want.Start = created
	if diff := cmp.Diff(&Busy{Namespace: "test", Run: want}, busy); diff != "" {
		t.Errorf("who holds it (-want +got):\n%s", diff)
	}
	for _, part := range []string{`"test"`, "process 42 on node", "expires at 2026-11-21T13:00:00Z"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not tell %s", err, part)
		}
	}

	must(l.Unlock(s.ctx, first, noon, false))
	must(l.Unlock(s.ctx, first, noon, false)) // it is gone: that is what was wanted
	must(0, l.Lock(s.ctx, "test", m.alive("second", 43), noon))
}

func TestLockStale(t *testing.T) {
	m := newMachine(t)
	for name, c := range map[string]struct {
		run   Run
		now   time.Time
		stale bool
	}{
		"alive":                {m.alive("r", 42), noon, false},
		"alive at its expiry":  {m.alive("r", 42), noon.Add(time.Hour), false},
		"alive past it":        {m.alive("r", 42), noon.Add(time.Hour + 1), true},
		"dead":                 {m.dead("r", 50), noon, true},
		"of an unknown owner":  {Run{Name: "r", Expires: noon.Add(time.Hour)}, noon, false},
		"unknown and past it":  {Run{Name: "r", Expires: noon.Add(time.Hour)}, noon.Add(2 * time.Hour), true},
		"without expiry, dead": {Run{Name: "r", Owner: m.dead("r", 50).Owner}, noon, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newDatabase(t)
			labels := c.run.labels()
			if c.run.Expires.IsZero() {
				delete(labels, ours.ExpireLabel)
			}
			must(s.manager.Create(s.ctx, leases.WithID(ours.RunID), leases.WithLabels(labels)))
			err := Locker{Manager: s.manager, Procfs: m.procfs()}.Lock(s.ctx, "test", m.alive("new", 43), c.now)
			var stale *Stale
			if errors.As(err, &stale) != c.stale {
				t.Fatalf("got %v, want stale %v", err, c.stale)
			}
			if c.stale && (stale.Run.Name != "r" || stale.Namespace != "test" || !strings.Contains(stale.Error(), "interrupted")) {
				t.Errorf("got %+v", stale)
			}
		})
	}
}

// A lease of our name that is not of ours, or damaged, is nobody's to break.
func TestLockForeign(t *testing.T) {
	m := newMachine(t)
	for _, labels := range []map[string]string{
		nil,
		{ours.ExpireLabel: "soon", ownerLabel: "{", ours.RunLabel: "x"},
	} {
		s := newDatabase(t)
		must(s.manager.Create(s.ctx, leases.WithID(ours.RunID), leases.WithLabels(labels)))
		err := Locker{Manager: s.manager, Procfs: m.procfs()}.Lock(s.ctx, "test", m.alive("new", 43), noon.AddDate(9, 0, 0))
		if !errdefs.IsAlreadyExists(err) || !strings.Contains(err.Error(), "never expires: if there is no such run, delete it with ctr -n test leases delete "+ours.RunID) {
			t.Errorf("labels %v: %v", labels, err)
		}
	}
}

// vanishing loses the lease between the attempt to create it and the look at
// whose it is, so many times.
type vanishing struct {
	leases.Manager
	times int
}

func (v *vanishing) List(ctx context.Context, filters ...string) ([]leases.Lease, error) {
	if v.times--; v.times >= 0 {
		must(0, v.Manager.Delete(ctx, leases.Lease{ID: ours.RunID}))
	}
	if v.times > 0 {
		found, err := v.Manager.List(ctx, filters...)
		must(v.Manager.Create(ctx, leases.WithID(ours.RunID)))
		return found, err
	}
	return v.Manager.List(ctx, filters...)
}

func TestLockAsAnotherEnds(t *testing.T) {
	m := newMachine(t)
	for times, wantErr := range map[int]bool{1: false, 2: false, lockTries - 1: false, lockTries: true} {
		s := newDatabase(t)
		must(s.manager.Create(s.ctx, leases.WithID(ours.RunID)))
		l := Locker{Manager: &vanishing{s.manager, times}, Procfs: m.procfs()}
		if err := l.Lock(s.ctx, "test", m.alive("new", 43), noon); (err != nil) != wantErr {
			t.Errorf("the lease ended %d times: %v", times, err)
		}
	}
}

func TestLockNeedsANamespace(t *testing.T) {
	s := newDatabase(t)
	err := Locker{Manager: s.manager}.Lock(context.Background(), "test", Run{Name: "r"}, noon)
	if err == nil || errdefs.IsAlreadyExists(err) {
		t.Errorf("got %v", err)
	}
}

func TestParseRun(t *testing.T) {
	run := Run{Name: "r", Owner: proc.Owner{PID: 1, Start: 2, BootID: "b", PIDNamespace: "n", Host: "h"}, Start: noon, Expires: noon.Add(time.Minute)}
	lease := leases.Lease{ID: ours.RunID, CreatedAt: noon, Labels: run.labels()}
	got, ok := ParseRun(lease)
	if diff := cmp.Diff(run, got); diff != "" || !ok {
		t.Errorf("ok %v (-want +got):\n%s", ok, diff)
	}
	lease.Labels = map[string]string{ours.ExpireLabel: noon.Format(time.RFC3339)}
	if got, ok := ParseRun(lease); ok || got.Owner != (proc.Owner{}) {
		t.Errorf("another's lease is run %+v", got)
	}
}
