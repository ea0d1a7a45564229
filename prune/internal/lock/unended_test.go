package lock

import (
	"context"
	"errors"
	"testing"

	"github.com/containerd/containerd/v2/core/leases"
)

// neverEnding is a containerd whose collections end only when nobody waits.
type neverEnding struct{ leases.Manager }

func (n neverEnding) Delete(ctx context.Context, lease leases.Lease, opts ...leases.DeleteOpt) error {
	if err := n.Manager.Delete(ctx, lease); err != nil || len(opts) == 0 {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// A collection that hangs is left, and counts as one that was made: whatever waits
// for another would hang as well.
func TestCollectionThatHangs(t *testing.T) {
	unended := &UnendedError{Snapshotter: "far"}
	for name, end := range map[string]func(l Locker, s database, run Run) (bool, error){
		"run lease": func(l Locker, s database, run Run) (bool, error) {
			must(0, l.Lock(s.ctx, "default", run, noon))
			return l.Unlock(s.ctx, run, noon, true)
		},
		"grace lease": func(l Locker, s database, run Run) (bool, error) {
			must(0, l.Lock(s.ctx, "default", run, noon))
			must(0, l.Keep(s.ctx, run, nil))
			must(l.Unlock(s.ctx, run, noon, false))
			return l.DropGrace(s.ctx, run.Name, true)
		},
		"lease of its own": func(l Locker, s database, run Run) (bool, error) {
			return true, l.Collect(s.ctx, run, noon, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, s := newMachine(t), newDatabase(t)
			l := Locker{Manager: neverEnding{s.manager}, Procfs: m.procfs(), Hangs: func(context.Context) error { return unended }}
			if collected, err := end(l, s, m.alive("r", 42)); !collected || !errors.Is(err, unended) {
				t.Errorf("collected %v: %v", collected, err)
			}
			s.want(t)
		})
	}
}

// One that ends is not left, whatever the watch says by then, and an interruption
// is no hang.
func TestCollectionThatEnds(t *testing.T) {
	m, s := newMachine(t), newDatabase(t)
	run := m.alive("r", 42)
	watched := false
	ends := Locker{Manager: s.manager, Procfs: m.procfs(), Hangs: func(ctx context.Context) error {
		<-ctx.Done()
		watched = true
		return &UnendedError{}
	}}
	if err := ends.Collect(s.ctx, run, noon, nil); err != nil || !watched {
		t.Errorf("watched to its end: %v; %v", watched, err)
	}
	ctx, cancel := context.WithCancel(s.ctx)
	cut := Locker{Manager: neverEnding{s.manager}, Procfs: m.procfs(), Hangs: func(context.Context) error { cancel(); return nil }}
	if err := cut.Collect(ctx, run, noon, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
