package lock

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// Past its expiry the lease of that ID may be another run's.
func TestUnlock(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	first, second := m.alive("first", 42), m.alive("second", 43)
	late := first.Expires.Add(time.Second)

	must(0, l.Lock(s.ctx, "test", first, noon))
	must(l.Unlock(s.ctx, first, late, false)) // nobody came
	if _, err := l.Unlock(s.ctx, first, late, false); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("a lease that is gone: %v", err)
	}
	must(0, l.Lock(s.ctx, "test", second, noon))
	for _, now := range []time.Time{noon, late} {
		if _, err := l.Unlock(s.ctx, first, now, false); !errdefs.IsFailedPrecondition(err) || !strings.Contains(err.Error(), "process 43") {
			t.Errorf("the lease of another: %v", err)
		}
	}
	s.want(t, ours.RunID+" of second")
}

// want compares the leases that there are, with their runs.
func (s database) want(t *testing.T, want ...string) {
	t.Helper()
	got := []string{}
	for _, lease := range must(s.manager.List(s.ctx)) {
		run, _ := ParseRun(lease)
		got = append(got, lease.ID+" of "+run.Name)
	}
	if diff := cmp.Diff(append([]string{}, want...), got); diff != "" {
		t.Errorf("leases (-want +got):\n%s", diff)
	}
}

// changing replaces a lease by one of the same ID right before a deletion
// arrives: it had expired and was collected, and its ID is used again.
type changing struct {
	leases.Manager
	id    string
	by    Run
	times int
}

func (c *changing) Delete(ctx context.Context, lease leases.Lease, opts ...leases.DeleteOpt) error {
	if c.times--; c.times == 0 {
		must(0, c.Manager.Delete(ctx, leases.Lease{ID: c.id}))
		must(c.Create(ctx, leases.WithID(c.id), leases.WithLabels(c.by.labels())))
	}
	return c.Manager.Delete(ctx, lease, opts...)
}

// A run lease that may expire is not deleted by its ID, which can be another
// run's by the time that the deletion arrives: a collection takes it.
func TestExpiredLockIsLeftToTheCollection(t *testing.T) {
	m := newMachine(t)
	own, theirs := m.alive("own", 42), m.alive("theirs", 43)
	stale := &Stale{Namespace: "test", Run: own}
	for name, unlock := range map[string]func(l Locker, ctx context.Context, now time.Time) error{
		"its own": func(l Locker, ctx context.Context, now time.Time) error {
			_, err := l.Unlock(ctx, own, now, true)
			return err
		},
		"of a killed run": func(l Locker, ctx context.Context, now time.Time) error {
			return l.UnlockStale(ctx, stale, m.alive("self", 44), now)
		},
	} {
		for _, left := range []time.Duration{-time.Hour, -time.Second, 0, soon / 2} {
			s := newDatabase(t)
			l := Locker{Manager: &changing{Manager: s.manager, id: ours.RunID, by: theirs, times: 1}, Procfs: m.procfs()}
			must(0, l.Lock(s.ctx, "test", own, noon))
			if err := unlock(l, s.ctx, own.Expires.Add(-left)); err != nil {
				t.Errorf("%s, %s left: %v", name, left, err)
			}
			s.want(t, ours.RunID+" of theirs")
		}
	}
}

// Nor is one that has become another's by the time of the look.
func TestStaleLockThatIsAnothers(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	stale := &Stale{Namespace: "test", Run: m.dead("dead", 50)}
	must(0, l.UnlockStale(s.ctx, stale, m.alive("self", 44), noon)) // it is gone
	must(0, l.Lock(s.ctx, "test", m.alive("theirs", 43), noon))
	must(0, l.UnlockStale(s.ctx, stale, m.alive("self", 44), noon))
	s.want(t, ours.RunID+" of theirs")
}

// A claim that expired and that somebody else has made since is not released.
func TestClaimThatIsAnothers(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	stale := s.crashed(t, m)
	must(l.Claim(s.ctx, stale, m.dead("one", 51), noon))
	release := must(l.Claim(s.ctx, stale, m.alive("self", 44), noon))
	first := leases.Lease{ID: ours.KindClaim.ID("crashed")}
	must(0, s.manager.Delete(s.ctx, first))
	must(s.manager.Create(s.ctx, leases.WithID(first.ID), leases.WithLabels(m.alive("theirs", 43).labels())))
	must(0, release(s.ctx))
	s.want(t, ours.RunID+" of crashed", first.ID+" of theirs")
}

// What a run left goes, and nothing that is not left.
func TestDropLeftover(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	for name, run := range map[string]Run{"a": m.dead("dead", 51), "b": m.alive("alive", 43)} {
		must(s.manager.Create(s.ctx, leases.WithID(ours.KindCollect.ID(name)), leases.WithLabels(run.labels())))
	}
	must(s.manager.Create(s.ctx, leases.WithID("theirs")))
	for _, id := range []string{ours.KindCollect.ID("a"), ours.KindCollect.ID("b"), ours.KindCollect.ID("c"), "theirs"} {
		must(0, l.DropLeftover(s.ctx, id, noon))
	}
	s.want(t, ours.KindCollect.ID("b")+" of alive", "theirs of ")
}

// A grace is dropped by the run that it is of.
func TestDropGraceOfAnother(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	must(s.manager.Create(s.ctx, leases.WithID(ours.KindGrace.ID("r")), leases.WithLabels(m.alive("theirs", 43).labels())))
	must(l.DropGrace(s.ctx, "r", false))
	s.want(t, ours.KindGrace.ID("r")+" of theirs")
}

// A collection is asked for by a lease that is gone afterwards, with what it
// held.
func TestCollect(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	run := m.alive("r", 42)
	must(0, l.Collect(s.ctx, run, noon, func(ctx context.Context) error {
		s.want(t, ours.KindCollect.ID("r")+" of r")
		if id, ok := leases.FromContext(ctx); !ok || id != ours.KindCollect.ID("r") {
			t.Errorf("what is made belongs to lease %q", id)
		}
		return WriteRefuse(ctx, s.content, run)
	}))
	s.want(t)
	s.collect()
	must(0, s.content.Walk(s.ctx, func(info content.Info) error {
		t.Errorf("blob %s is left", info.Digest)
		return nil
	}))
}

// Interrupted, it leaves nothing that lasts.
func TestCollectInterrupted(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	ctx, cancel := context.WithCancel(s.ctx)
	err := l.Collect(ctx, m.alive("r", 42), noon, func(ctx context.Context) error { cancel(); return ctx.Err() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	s.want(t)
}
