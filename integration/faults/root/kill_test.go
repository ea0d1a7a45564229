package root

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/containerd/containerd/v2/core/snapshots/storage"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/oracle"
)

// started is after how many kills the real daemon looks at what was left.
const started = 11

// A run of a root that is killed before or after any transaction, of the
// metadata or of a snapshotter, or while it removes the directories of snapshots,
// loses nothing, and the next one ends where an undisturbed one does.
func TestKilledAtEveryTransaction(t *testing.T) {
	daemon.EachVersion(t, func(t *testing.T, v parts.Part) {
		t.Parallel()
		b := newBed(t, v)
		_, steps := b.kill(math.MaxInt32, "")
		pruned := b.d.Capture()
		if err := oracle.Check(b.full, pruned, oracle.AllowOrphanedSnapshots()); err != nil {
			t.Fatalf("the undisturbed run did harm:\n%v", err)
		}
		stride := 1
		if os.Getenv("SOAK") == "" && v != parts.Containerd24 {
			stride = 3
		}
		kills := 0
		for step := 1; step <= steps; step += stride {
			if b.killAndPrune(fmt.Sprintf("killed at step %d of %d", step, steps), step, "", pruned) {
				kills++
			}
			if kills%started == 0 {
				b.orderly(fmt.Sprintf("after a kill at step %d", step), b.d.Capture())
			}
		}
		t.Logf("%d kills over %d steps of a run", kills, steps)
		if kills*stride < steps-2*stride || steps < 10 {
			t.Errorf("only %d kills over %d steps", kills, steps)
		}
		for _, in := range []string{atFile, atDirectory} {
			b.killInDirectory(in, steps/2, pruned)
		}
	})
}

// killAndPrune kills a run, prunes what it left, and says whether it was killed.
func (b *bed) killAndPrune(what string, step int, in string, pruned *oracle.State) bool {
	b.t.Helper()
	b.refill()
	killed, _ := b.kill(step, in)
	if err := oracle.Check(b.full, b.d.Capture(), oracle.AllowOrphanedSnapshots()); err != nil {
		b.t.Errorf("%s: harm:\n%v", what, err)
	}
	if in != "" && b.unrecorded() == 0 {
		b.t.Errorf("%s: there is no directory without a record", what)
	}
	b.pruneAndCheck(what)
	b.equal(what, pruned, b.d.Capture())
	return killed
}

// killInDirectory kills a run while it removes the directories of snapshots, whose
// records are gone by then. After this step it removes no others.
func (b *bed) killInDirectory(in string, step int, pruned *oracle.State) {
	b.t.Helper()
	what := "killed before the first " + in + " in the directory of a snapshot was removed"
	if !b.killAndPrune(what, step, in, pruned) {
		b.t.Errorf("%s: it was not killed", what)
	}
	b.orderly(what, b.d.Capture())
}

// unrecorded counts the directories of snapshots of which the snapshotter has no
// record.
func (b *bed) unrecorded() (n int) {
	b.t.Helper()
	database := b.databases()[1]
	ms, err := storage.NewMetaStore(database)
	b.must(err)
	defer func() { b.must(ms.Close()) }()
	b.must(ms.WithTransaction(b.t.Context(), false, func(ctx context.Context) error {
		known, err := storage.IDMap(ctx)
		if err != nil {
			return err
		}
		entries, err := os.ReadDir(filepath.Join(filepath.Dir(database), "snapshots"))
		for _, entry := range entries {
			if _, ok := known[entry.Name()]; !ok {
				n++
			}
		}
		return err
	}))
	return n
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
