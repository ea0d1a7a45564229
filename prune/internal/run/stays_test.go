package run_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/images"

	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
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
			w := tw.World{"default": {
				tw.Record("x:1", "x", tw.Expiring(start.Add(time.Minute))), tw.Blob("x"), tw.Record("b:1", "b"), tw.Blob("b"),
			}}
			st := w.Build(t, t.TempDir())
			policy := rules.Policy{Namespaces: []string{"default"}, Filters: tw.All("reference=b")}
			p := tw.Must(flow.ReadPlan(t.Context(), st, policy, start, read.ReadOptions{}))
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
			for _, image := range tw.Must(st.Images().List(ctx)) {
				left = append(left, image.Name)
			}
			if !slices.Equal(left, c.left) {
				t.Errorf("records left: %q, want %q", left, c.left)
			}
			if _, err := st.Content().Info(ctx, tw.Digest("b")); (err == nil) != (c.early || c.late) {
				t.Errorf("what was removed: %v", err)
			}
		})
	}
}

// A record that goes with the one that it lives by is one of the run's own
// removals, whoever was first.
func TestBoundRecordThatIsGoneFirst(t *testing.T) {
	w := tw.World{"default": tw.BundleNow()}
	store := w.Build(t, t.TempDir())
	plan := tw.Must(flow.ReadPlan(t.Context(), store, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}, time.Now(), read.ReadOptions{}))
	report := tw.Must(run.Execute(t.Context(), plan, collected{store}, run.ExecuteOptions{Now: time.Now}))
	if len(report.Untagged) != 3 || len(report.Skipped) != 0 {
		t.Errorf("untagged %v, skipped %v", report.Untagged, report.Skipped)
	}
}

// One that somebody pins at the last moment is left alone; where nothing holds
// it any more the run does not collect.
func TestBoundRecordThatIsPinned(t *testing.T) {
	st := tw.World{"default": tw.BundleNow()}.Build(t, t.TempDir())
	p := tw.Must(flow.ReadPlan(t.Context(), st, rules.Policy{Namespaces: []string{"default"}, Filters: tw.All()}, time.Now(), read.ReadOptions{}))
	ctx := store.InNamespace(t.Context(), "default")
	pin := images.Image{Name: "app-1:1", Labels: map[string]string{rules.LabelKeep: "yes"}}
	tw.Must(st.Images().Update(ctx, pin, "labels."+rules.LabelKeep))
	tw.Must(0, st.Images().Delete(ctx, "base:1"))
	_, err := run.Execute(t.Context(), p, st, run.ExecuteOptions{Now: time.Now})
	var stay *plan.StayError
	if !errors.As(err, &stay) || stay.Name != "app-1:1" {
		t.Errorf("the run ended with %v", err)
	}
	tw.Must(st.Images().Get(ctx, "app-1:1"))
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
