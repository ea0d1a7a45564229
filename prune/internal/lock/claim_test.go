package lock

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/containerd/containerd/v2/core/leases"
	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"

	ours "github.com/ctr-prune/ctr-prune/leases"
)

// crashed leaves the run lease of a process that is gone.
func (s database) crashed(t *testing.T, m machine) *Stale {
	t.Helper()
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	must(0, l.Lock(s.ctx, "test", m.dead("crashed", 50), noon))
	var stale *Stale
	if err := l.Lock(s.ctx, "test", m.alive("new", 43), noon); !errors.As(err, &stale) {
		t.Fatalf("got %v, want a *Stale", err)
	}
	return stale
}

func TestClaim(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	stale := s.crashed(t, m)
	release, err := l.Claim(s.ctx, stale, m.alive("new", 43), noon)
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Claim(s.ctx, stale, m.alive("late", 44), noon)
	var busy *Busy
	if !errors.As(err, &busy) || busy.Run.Name != "new" {
		t.Errorf("a second claim: %v, want to hear of the first", err)
	}
	must(0, s.free())
	must(0, l.Lock(s.ctx, "test", m.alive("new", 43), noon))
	must(0, release(s.ctx))
	if diff := cmp.Diff([]string{ours.RunID}, s.ids()); diff != "" {
		t.Errorf("leases left (-want +got):\n%s", diff)
	}
}

// One that saw the stale lease, but comes when another one has finished the
// run and works under the lease, must not take that lease for the dead run's.
func TestClaimTooLate(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	stale := s.crashed(t, m)
	release := must(l.Claim(s.ctx, stale, m.alive("winner", 43), noon))
	must(0, s.free())
	must(0, l.Lock(s.ctx, "test", m.alive("winner", 43), noon))
	must(0, release(s.ctx))

	_, err := l.Claim(s.ctx, stale, m.alive("late", 44), noon)
	var busy *Busy
	if !errors.As(err, &busy) || busy.Run.Name != "winner" {
		t.Errorf("got %v, want to hear of the winner", err)
	}
	must(0, s.free())
	if _, err := l.Claim(s.ctx, stale, m.alive("later", 45), noon); !errdefs.IsNotFound(err) {
		t.Errorf("claiming what is all done: %v", err)
	}
	if diff := cmp.Diff([]string{}, s.ids()); diff != "" {
		t.Errorf("leases left (-want +got):\n%s", diff)
	}
}

// One that comes when the run has been finished and nobody works any more is
// told so, and leaves nothing.
func TestClaimOfAFinishedRun(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	stale := s.crashed(t, m)
	must(0, s.free())
	if _, err := l.Claim(s.ctx, stale, m.alive("late", 44), noon); !errors.Is(err, ErrFinished) {
		t.Errorf("got %v, want ErrFinished", err)
	}
	if left := s.ids(); len(left) > 0 {
		t.Errorf("leases left: %q", left)
	}
}

// So is one in whose way another's claim was until it looked whose it is.
func TestClaimAsAnotherEnds(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	stale := s.crashed(t, m)
	must(l.Claim(s.ctx, stale, m.alive("winner", 43), noon))
	l.Manager = unlisted{s.manager}
	if _, err := l.Claim(s.ctx, stale, m.alive("late", 44), noon); !errors.Is(err, ErrFinished) {
		t.Errorf("got %v, want ErrFinished", err)
	}
}

// unlisted shows no lease, as if each had gone just before.
type unlisted struct{ leases.Manager }

func (unlisted) List(context.Context, ...string) ([]leases.Lease, error) { return nil, nil }

// Claimants that died are replaced, however many, also those that died while
// they replaced another.
func TestClaimChain(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	stale := s.crashed(t, m)
	must(l.Claim(s.ctx, stale, m.dead("one", 51), noon))
	must(l.Claim(s.ctx, stale, m.dead("two", 51), noon))
	s.want(t, ours.RunID+" of crashed", ours.KindClaim.ID("crashed")+" of two")
	for claimed, by := range map[string]string{"two": "three", "three": "four"} {
		must(s.manager.Create(s.ctx, leases.WithID(ours.KindClaim.ID(claimed)), leases.WithLabels(m.dead(by, 51).labels())))
	}
	release := must(l.Claim(s.ctx, stale, m.alive("new", 43), noon))
	s.want(t, ours.RunID+" of crashed", ours.KindClaim.ID("crashed")+" of new")
	if _, err := l.Claim(s.ctx, stale, m.alive("late", 44), noon); !errdefs.IsAlreadyExists(err) {
		t.Errorf("a claim on the living: %v", err)
	}
	must(0, release(s.ctx))
	s.want(t, ours.RunID+" of crashed")
}

// Who replaces a claim that is released at that moment does not go on: of two
// that come, one before and one after, only one finishes the run.
func TestClaimThatIsReleasedWhileItIsReplaced(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	stale := s.crashed(t, m)
	id := ours.KindClaim.ID("crashed")
	must(s.manager.Create(s.ctx, leases.WithID(id), leases.WithLabels(m.dead("gives up", 51).labels())))
	slow := l
	slow.Manager = afterList{s.manager, sync.OnceFunc(func() { must(0, s.manager.Delete(s.ctx, leases.Lease{ID: id})) })}
	if _, err := slow.Claim(s.ctx, stale, m.alive("slow", 43), noon); !errors.Is(err, ErrFinished) {
		t.Errorf("who replaces what has gone: %v, want ErrFinished", err)
	}
	must(l.Claim(s.ctx, stale, m.alive("quick", 44), noon))
	s.want(t, ours.RunID+" of crashed", id+" of quick")
}

// afterList lets something happen after each answer to a list.
type afterList struct {
	leases.Manager
	then func()
}

func (a afterList) List(ctx context.Context, filters ...string) ([]leases.Lease, error) {
	all, err := a.Manager.List(ctx, filters...)
	if len(all) > 0 {
		a.then()
	}
	return all, err
}

// Damaged claims that name each other end in an error, not in a loop.
func TestClaimCircle(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	stale := s.crashed(t, m)
	for id, name := range map[string]string{"crashed": "other", "other": "crashed"} {
		must(s.manager.Create(s.ctx, leases.WithID(ours.KindClaim.ID(id)), leases.WithLabels(m.dead(name, 51).labels())))
	}
	if _, err := l.Claim(s.ctx, stale, m.alive("new", 43), noon); !errdefs.IsFailedPrecondition(err) {
		t.Errorf("got %v", err)
	}
}

func TestClaimRace(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	l := Locker{Manager: s.manager, Procfs: m.procfs()}
	stale := s.crashed(t, m)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 8 {
		run := m.alive("r"+fmt.Sprint(i), 60+i)
		wg.Go(func() {
			_, err := l.Claim(s.ctx, stale, run, noon)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errdefs.IsAlreadyExists(err) {
				t.Errorf("a loser got %v", err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		t.Errorf("%d claimants won", won)
	}
}

// failing fails to create leases.
type failing struct{ leases.Manager }

func (failing) Create(context.Context, ...leases.Opt) (leases.Lease, error) {
	return leases.Lease{}, errdefs.ErrUnavailable
}

func TestClaimFails(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	stale := s.crashed(t, m)
	l := Locker{Manager: failing{s.manager}, Procfs: m.procfs()}
	if _, err := l.Claim(s.ctx, stale, m.alive("new", 43), noon); !errdefs.IsUnavailable(err) {
		t.Errorf("got %v", err)
	}
}
