package prune

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/root"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// A record that is to stay and expires on the way would go with the run's
// collection. Before anything was deleted, nothing is; after that, nothing is
// collected, and what was deleted is held for the next run.
func TestRecordThatExpiresMeanwhile(t *testing.T) {
	for when, c := range map[string]struct {
		early, late bool
		left        []string
	}{
		"while the question waits":     {early: true, left: []string{"b:1", "x:1"}},
		"between deleting and the end": {late: true, left: []string{"x:1"}},
		"after all":                    {left: []string{"x:1"}},
	} {
		t.Run(when, func(t *testing.T) {
			start := time.Now()
			w := world{"default": {
				record("x:1", "x", expiring(start.Add(time.Minute))), blob("x"), record("b:1", "b"), blob("b"),
			}}
			st := w.build(t, t.TempDir())
			policy := rules.Policy{Namespaces: []string{"default"}, Filters: all("reference=b")}
			p := must(flow.ReadPlan(t.Context(), st, policy, start, read.ReadOptions{}))
			clock := start
			if c.early {
				clock = start.Add(2 * time.Minute)
			}
			opts := run.ExecuteOptions{Now: func() time.Time { return clock }, Event: func(run.Event) {
				if c.late {
					clock = start.Add(2 * time.Minute)
				}
			}}
			_, err := run.Execute(t.Context(), p, st, opts)
			var stay *plan.StayError
			if asked := c.early || c.late; errors.As(err, &stay) != asked {
				t.Errorf("the run ended with %v", err)
			}
			ctx := store.InNamespace(t.Context(), "default")
			var left []string
			for _, image := range must(st.Images().List(ctx)) {
				left = append(left, image.Name)
			}
			if !slices.Equal(left, c.left) {
				t.Errorf("records left: %q, want %q", left, c.left)
			}
			if _, err := st.Content().Info(ctx, dig("b")); (err == nil) != (c.early || c.late) {
				t.Errorf("what was removed: %v", err)
			}
		})
	}
}

// A record that goes with the one that it lives by is one of the run's own
// removals, whoever was first.
func TestBoundRecordThatIsGoneFirst(t *testing.T) {
	w := world{"default": bundleNow()}
	store := w.build(t, t.TempDir())
	plan := must(flow.ReadPlan(t.Context(), store, rules.Policy{Namespaces: []string{"default"}, Filters: all()}, time.Now(), read.ReadOptions{}))
	report := must(run.Execute(t.Context(), plan, collected{store}, run.ExecuteOptions{Now: time.Now}))
	if len(report.Untagged) != 3 || len(report.Skipped) != 0 {
		t.Errorf("untagged %v, skipped %v", report.Untagged, report.Skipped)
	}
}

// One that somebody pins at the last moment is left alone; where nothing holds
// it any more the run does not collect.
func TestBoundRecordThatIsPinned(t *testing.T) {
	st := world{"default": bundleNow()}.build(t, t.TempDir())
	p := must(flow.ReadPlan(t.Context(), st, rules.Policy{Namespaces: []string{"default"}, Filters: all()}, time.Now(), read.ReadOptions{}))
	ctx := store.InNamespace(t.Context(), "default")
	pin := images.Image{Name: "app-1:1", Labels: map[string]string{rules.LabelKeep: "yes"}}
	must(st.Images().Update(ctx, pin, "labels."+rules.LabelKeep))
	must(0, st.Images().Delete(ctx, "base:1"))
	_, err := run.Execute(t.Context(), p, st, run.ExecuteOptions{Now: time.Now})
	var stay *plan.StayError
	if !errors.As(err, &stay) || stay.Name != "app-1:1" {
		t.Errorf("the run ended with %v", err)
	}
	must(st.Images().Get(ctx, "app-1:1"))
}

// bundleNow is a bundle whose further names have just expired.
func bundleNow() []thing {
	over := expiring(time.Now().Add(-time.Minute))
	return []thing{
		record("base:1", "index"), blob("index"),
		record("app-1:1", "one", over, backImage("base:1")), blob("one"),
		record("app-2:1", "two", over, backImage("base:1")), blob("two"),
	}
}

// collected is a store in which a collection takes each bound record just
// before it is deleted.
type collected struct{ store.Store }

func (f collected) Transactional() bool { return false }

func (f collected) Images() images.Store { return collectedImages{f.Store.Images()} }

type collectedImages struct{ images.Store }

func (f collectedImages) Delete(ctx context.Context, name string, opts ...images.DeleteOpt) error {
	if image, err := f.Get(ctx, name); err == nil && gc.Expires(&image) {
		if err := f.Store.Delete(ctx, name); err != nil {
			return err
		}
	}
	return f.Store.Delete(ctx, name, opts...)
}

// Of records that live by each other the one that is back first has to wait for
// the other, whoever collects garbage meanwhile.
func TestUndoOfBoundRecords(t *testing.T) {
	st := world{"default": bundleNow()}.build(t, t.TempDir())
	plan := must(flow.ReadPlan(t.Context(), st, rules.Policy{Namespaces: []string{"default"}, Filters: all()}, time.Now(), read.ReadOptions{}))
	report := must(run.Execute(t.Context(), plan, st, run.ExecuteOptions{Now: time.Now, Grace: time.Hour}))
	run := undo.Run{Name: report.Grace.Run, Namespaces: []string{"default"}}
	undone := must(undo.Undo(t.Context(), collecting{st}, run, time.Now()))
	if len(undone.Restored) != 3 || len(undone.Failed) != 0 {
		t.Errorf("restored %v, failed %v", undone.Restored, undone.Failed)
	}
	must(st.DB.GarbageCollect(t.Context()))
	if left := must(st.Images().List(store.InNamespace(t.Context(), "default"))); len(left) != 3 {
		t.Errorf("%d records are back, want 3", len(left))
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

// What a killed run left is not finished where a collection would take a record
// that is to stay. It is said, and nothing is collected.
func TestKilledRunIsNotFinishedWhileARecordWouldGo(t *testing.T) {
	for what, finish := range map[string]func(s *scene, opts run.ExecuteOptions) error{
		"repair": func(s *scene, opts run.ExecuteOptions) error {
			found := must(check.Check(context.Background(), s.store, time.Now(), check.CheckOptions{Read: read.ReadOptions{Procfs: opts.Procfs}}))
			_, err := check.Repair(context.Background(), s.store, found, opts)
			return err
		},
		"pruning of leases": func(s *scene, opts run.ExecuteOptions) error {
			listed := must(undo.Leases(context.Background(), s.store, time.Now(), read.ReadOptions{Procfs: opts.Procfs}))
			_, err := undo.PruneLeases(context.Background(), s.store, listed, opts)
			return err
		},
	} {
		t.Run(what, func(t *testing.T) {
			s := newScene(t, small())
			s.crash("delete x:1")
			over := expiring(time.Now().Add(-time.Minute))
			s.add(record("p:1", "p", over, labelled(rules.LabelKeep, "yes")), blob("p"), lease("old", over))
			before := census(t, s.store)
			var stay *plan.StayError
			if err := finish(s, run.ExecuteOptions{Now: time.Now, Procfs: process(t, 2)}); !errors.As(err, &stay) || stay.Name != "p:1" {
				t.Errorf("it ended with %v", err)
			}
			if diff := differences(before, census(t, s.store)); diff != "" {
				t.Errorf("it did:\n%s", diff)
			}
		})
	}
}
