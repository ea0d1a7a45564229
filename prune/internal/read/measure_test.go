package read_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/snapshots"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

func TestMain(m *testing.M) { tw.Main(m) }

// changing is a store in which files of active snapshots vanish while they are
// measured, as often as it says.
type changing struct {
	store.Store
	vanish       int32
	asked        atomic.Int32
	atOnce, most atomic.Int32
}

func (s *changing) Snapshotter(name string) snapshots.Snapshotter {
	return changingSnapshotter{s.Store.Snapshotter(name), s}
}

type changingSnapshotter struct {
	snapshots.Snapshotter
	*changing
}

func (s changingSnapshotter) Usage(ctx context.Context, key string) (snapshots.Usage, error) {
	if !strings.HasPrefix(key, "busy") {
		return s.Snapshotter.Usage(ctx, key)
	}
	n := s.atOnce.Add(1)
	defer s.atOnce.Add(-1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	if s.asked.Add(1) <= s.vanish {
		return snapshots.Usage{}, errors.New("lstat a: no such file or directory")
	}
	return s.Snapshotter.Usage(ctx, key)
}

func measured(t *testing.T, st store.Store) *inventory.Inventory {
	t.Helper()
	inv, err := read.ReadMeasured(t.Context(), st, inventory.Scope{}, time.Now(), read.ReadOptions{Procfs: proc.Procfs{}}, (*gc.Collector).AllSnapshots)
	if err != nil {
		t.Fatal(err)
	}
	return inv
}

// A snapshot in which a file vanishes while it is measured is measured once more,
// and then has an unknown size, which is told.
func TestMeasureWhatChanges(t *testing.T) {
	busy := inventory.SnapshotID{Namespace: "default", SnapshotKey: inventory.SnapshotKey{Snapshotter: "memory", Key: "busy"}}
	for vanish, lost := range map[int32]bool{0: false, 1: false, 2: true, 3: true} {
		s := tw.NewScene(t, tw.World{"default": {tw.Snapshot("base", ""), tw.Active("busy", "base")}})
		st := &changing{Store: s.Store, vanish: vanish}
		inv := measured(t, st)
		notes, sum := inv.Sizes.Notes(), inv.Objects().Amount()
		if asked := st.asked.Load(); asked > 2 || asked != min(vanish, 1)+1 {
			t.Errorf("%d times vanished: asked %d times", vanish, asked)
		}
		if got := inv.Size(busy) == inventory.Unmeasured; got != lost || sum.AtLeast != lost || sum.TotalBytes <= 0 {
			t.Errorf("%d times vanished: size %d, all %+v", vanish, inv.Size(busy), sum)
		}
		if lost != (len(notes) == 1 && notes[0].ReasonCode == cause.CodeUnmeasured && notes[0].ReasonParts.Objects[0] == busy.Node().Object()) {
			t.Errorf("%d times vanished: %+v", vanish, notes)
		}
	}
}

// Containerd walks the files of few active snapshots at the same time.
func TestMeasureFewWalks(t *testing.T) {
	things := []tw.Thing{tw.Snapshot("base", "")}
	for i := range 40 {
		things = append(things, tw.Active("busy"+strings.Repeat("x", i), "base"))
	}
	st := &changing{Store: tw.NewScene(t, tw.World{"default": things}).Store}
	measured(t, st)
	if most := st.most.Load(); st.asked.Load() != 40 || most > 4 {
		t.Errorf("%d asked, %d at once", st.asked.Load(), most)
	}
}
