package leases

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"github.com/google/go-cmp/cmp"
)

// A run is over when it says so, though its process lives, and no other run
// of the process with it.
func TestBegin(t *testing.T) {
	p := Procfs{}
	first, endFirst := p.Begin()
	second, endSecond := p.Begin()
	defer endSecond()
	bare := first
	bare.Sign = ""
	if diff := cmp.Diff(p.Self(), bare); diff != "" || !strings.HasPrefix(first.Sign, "pipe:[") || first.Sign == second.Sign {
		t.Fatalf("first %+v, second %+v", first, second)
	}
	if got := parseOwner(first.marshal()); got != first {
		t.Errorf("read back (-want +got):\n%s", cmp.Diff(first, got))
	}
	if p.Dead(first) || p.Dead(second) {
		t.Error("a run that lasts is dead")
	}
	endFirst()
	if !p.Dead(first) || p.Dead(second) || p.Dead(p.Self()) {
		t.Errorf("after the first: dead %v, the second %v, the process %v", p.Dead(first), p.Dead(second), p.Dead(p.Self()))
	}
}

// A procfs that does not show the pipe where it is looked for, as one of
// another PID namespace, must not be relied on: it would prove what lasts dead.
func TestBeginUnseen(t *testing.T) {
	pid := os.Getpid()
	fds := filepath.Join(itoa(pid), "fd")
	for name, show := range map[string]func(machine){
		"nothing":                 func(machine) {},
		"the files of another":    func(m machine) { must(0, os.MkdirAll(filepath.Join(m.dir, fds), 0o700)) },
		"other files at the same": func(m machine) { m.opens(pid, strings.Split(strings.Repeat("pipe:[1] ", 100), " ")[:100]...) },
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			m.write(itoa(pid)+"/stat", stat(itoa(pid)+" (node agent) S", 1000))
			show(m)
			owner, end := m.procfs().Begin()
			if owner.Sign != "" || m.procfs().Dead(owner) {
				t.Errorf("sign %q, dead %v", owner.Sign, m.procfs().Dead(owner))
			}
			if end(); m.procfs().Dead(owner) {
				t.Error("a run without a sign is over before its process")
			}
		})
	}
}

// Runs of one process that come and go side by side, some of which fail and
// leave their lease: what a failed one left is taken over at once, and never
// what another one holds.
func TestRunsOfOneProcess(t *testing.T) {
	const workers, rounds = 6, 40
	s := newStore(t)
	l := Locker{Manager: s.manager}
	var inside, took, failed atomic.Int32
	work := func(random *rand.Rand) {
		if n := inside.Add(1); n != 1 {
			t.Errorf("%d runs at once", n)
		}
		for range random.IntN(50) {
			runtime.Gosched()
		}
		inside.Add(-1)
	}
	attempt := func(name string, random *rand.Rand) (locked bool, err error) {
		owner, end := l.Procfs.Begin()
		defer end()
		run := Run{Name: name, Owner: owner, Start: noon, Expires: noon.Add(time.Hour)}
		err = l.Lock(s.ctx, "test", run, noon)
		for stale := (*Stale)(nil); errors.As(err, &stale); {
			release, claimed := l.Claim(s.ctx, stale, run, noon)
			if claimed != nil {
				return false, claimed
			}
			work(random) // finishing the other's
			took.Add(1)
			must(0, s.free())
			err = l.Lock(s.ctx, "test", run, noon) // or another is quicker, and fails as well
			must(0, release(s.ctx))
		}
		if err != nil {
			return false, err
		}
		work(random)
		if random.IntN(3) == 0 {
			failed.Add(1)
			return true, nil // with its lease left
		}
		return true, s.free()
	}
	var wg sync.WaitGroup
	for w := range workers {
		random := rand.New(rand.NewPCG(1, uint64(w)))
		wg.Go(func() {
			for done, try := 0, 0; done < rounds; try++ {
				locked, err := attempt(fmt.Sprintf("%d-%d-%d", w, done, try), random)
				if err != nil && !errdefs.IsAlreadyExists(err) && !errors.Is(err, ErrFinished) {
					t.Errorf("worker %d: %v", w, err)
					return
				}
				if locked {
					done++
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d runs, %d failed, %d taken over", workers*rounds, failed.Load(), took.Load())
	if took.Load() == 0 || failed.Load() == 0 {
		t.Error("nothing was tried")
	}
}
