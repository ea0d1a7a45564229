package undo_test

import (
	"context"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/root"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// Of records that live by each other the one that is back first has to wait for
// the other, whoever collects garbage meanwhile.
func TestUndoOfBoundRecords(t *testing.T) {
	st := tw.World{"default": tw.BundleNow()}.Build(t, t.TempDir())
	plan := tw.Must(flow.ReadPlan(t.Context(), st, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}, time.Now(), read.ReadOptions{}))
	report := tw.Must(run.Execute(t.Context(), plan, st, run.ExecuteOptions{Now: time.Now, Grace: time.Hour}))
	run := undo.Run{Name: report.Grace.Run, Namespaces: []string{"default"}}
	undone := tw.Must(undo.Undo(t.Context(), collecting{st}, run, tw.Options()))
	if len(undone.Restored) != 3 || len(undone.Failed) != 0 {
		t.Errorf("restored %v, failed %v", undone.Restored, undone.Failed)
	}
	tw.Must(st.DB.GarbageCollect(t.Context()))
	if left := tw.Must(st.Images().List(store.InNamespace(t.Context(), "default"))); len(left) != 3 {
		t.Errorf("%d records are back, want 3", len(left))
	}
}

// A record whose own expiry passed during the grace is not back for longer than
// until the next collection. Undo says so, and keeps what it needs.
func TestUndoOfAnExpiredRecord(t *testing.T) {
	expiry := time.Now().Add(time.Minute)
	s := tw.NewScene(t, tw.World{"default": {
		tw.Blob("a"), tw.Record("x:1", "a", tw.Labelled("containerd.io/gc.expire", expiry.Format(time.RFC3339))), tw.Blob("b"), tw.Record("y:1", "b"),
	}})
	_, run := s.WithGrace()
	undone, err := undo.Undo(t.Context(), s.Store, run, tw.OptionsAt(expiry.Add(time.Second)))
	if err != nil || tw.NamesOf(undone.Restored) != "y:1" {
		t.Errorf("restored %v, %v", undone.Restored, err)
	}
	if len(undone.Failed) != 1 || undone.Failed[0].Name != "x:1" || undone.Failed[0].ReasonCode != cause.CodeExpired {
		t.Errorf("failed %+v", undone.Failed)
	}
	s.Collect()
	if !s.HasBlob("a") {
		t.Error("the grace was given up")
	}
}

// collecting is a store that collects garbage after each record that is made.
type collecting struct{ *root.RootStore }

func (c collecting) Images() images.Store { return collectingImages{c.RootStore.Images(), c.RootStore} }

type collectingImages struct {
	images.Store
	root *root.RootStore
}

func (c collectingImages) Create(ctx context.Context, image images.Image) (images.Image, error) {
	made, err := c.Store.Create(ctx, image)
	if err != nil {
		return made, err
	}
	_, err = c.root.DB.GarbageCollect(ctx)
	return made, err
}
