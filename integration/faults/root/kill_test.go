package root

import (
	"fmt"
	"math"
	"os"
	"testing"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// started is after how many kills the real daemon looks at what was left.
const started = 11

// A run of a root that is killed before or after any transaction, of the
// metadata or of a snapshotter, loses nothing, and the next one ends where an
// undisturbed one does.
func TestKilledAtEveryTransaction(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		t.Parallel()
		b := newBed(t, v)
		_, steps := b.kill(math.MaxInt32)
		pruned := b.d.Capture()
		if err := oracle.Check(b.full, pruned, oracle.AllowOrphanedSnapshots()); err != nil {
			t.Fatalf("the undisturbed run did harm:\n%v", err)
		}
		stride, kills := 1, 0
		if os.Getenv("SOAK") == "" && v != parts.Containerd24 {
			stride = 3
		}
		for step := 1; step <= steps; step += stride {
			b.refill()
			what := fmt.Sprintf("killed at step %d of %d", step, steps)
			if killed, _ := b.kill(step); killed {
				kills++
			}
			left := b.d.Capture()
			if err := oracle.Check(b.full, left, oracle.AllowOrphanedSnapshots()); err != nil {
				t.Errorf("%s: harm:\n%v", what, err)
			}
			b.pruneAndCheck(what)
			end := b.d.Capture()
			b.equal(what, pruned, end)
			if kills%started == 0 {
				b.orderly(what, end)
			}
		}
		t.Logf("%d kills over %d steps of a run", kills, steps)
		if kills*stride < steps-2*stride || steps < 10 {
			t.Errorf("only %d kills over %d steps", kills, steps)
		}
	})
}

// orderly starts the real daemon on the root: it must find what was left, and
// work with it.
func (b *bed) orderly(what string, left *oracle.State) {
	b.t.Helper()
	b.d.Up()
	defer b.d.Stop()
	b.equal(what+", seen by the daemon", left, b.d.Capture())
	if r := b.socket("check"); r.Code != programs.ExitDone {
		b.t.Errorf("%s: check through the daemon:\n%s%s", what, r.Stdout, r.Stderr)
	}
	b.works(what)
}
