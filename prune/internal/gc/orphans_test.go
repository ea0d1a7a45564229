package gc_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// A config with more snapshot labels than can be written down keeps them, and
// the snapshots: the plan says who holds them.
func TestTooManySnapshotLabelsStay(t *testing.T) {
	for _, c := range []struct {
		labels int
		taken  bool
	}{{1, true}, {200, false}} {
		config := tw.Blob("b", tw.RefSnapshot("s1"))
		for i := range c.labels {
			config.Labels[fmt.Sprintf("%sother%d", store.SnapshotLabel, i)] = strings.Repeat("x", 4000)
		}
		inv := tw.World{"default": {
			tw.Blob("a", tw.RefContent("b")), config, tw.Snapshot("s1", ""), tw.Record("x:1", "a"), tw.Lease(tw.HistoryLease, tw.Holding(tw.TheBlob("b"))),
		}}.Inventory()
		o := tw.Must(plan.NewPlan(inv, tw.EveryImage, tw.Noon)).Outcome
		if taken := len(o.Orphans) == 1; taken != c.taken || (len(o.Freed.Snapshots) == 1) != c.taken {
			t.Errorf("%d labels: taken off %v, freed %v, held %+v", c.labels, taken, o.Freed.Snapshots, o.Held)
		}
	}
}
