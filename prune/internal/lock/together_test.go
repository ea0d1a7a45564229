package lock

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/errdefs"
)

// Runs of one process that come and go side by side, some of which fail and
// leave their lease: what a failed one left is taken over at once, and never
// what another one holds.
func TestRunsOfOneProcess(t *testing.T) {
	const workers, rounds = 6, 40
	s := newDatabase(t)
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
