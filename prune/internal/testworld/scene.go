package testworld

import (
	"context"
	"testing"
	"time"

	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/leases"
	"github.com/google/go-cmp/cmp"

	ours "github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/flow"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/root"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// A Scene is a store that a test makes runs on, and changes while they are under
// way.
type Scene struct {
	T     *testing.T
	Store *root.RootStore // the store itself
	Tape  *Tape           // the store as runs see it
	Ctx   context.Context // in namespace default
}

// NewScene builds a world. Its tape deletes one by one, as a daemon does.
func NewScene(t *testing.T, w World) *Scene {
	t.Helper()
	s := w.Build(t, t.TempDir())
	t.Cleanup(func() { Must(0, s.Close()) })
	return &Scene{T: t, Store: s, Tape: &Tape{Store: Singly(s)}, Ctx: store.InNamespace(context.Background(), "default")}
}

// Plan reads the store and plans to remove all that is unused.
func (s *Scene) Plan(procfs proc.Procfs) *plan.Plan {
	s.T.Helper()
	policy := rules.Policy{AllNamespaces: true, Filters: All()}
	plan, err := flow.ReadPlan(context.Background(), s.Store, policy, time.Now(), read.ReadOptions{Procfs: procfs})
	if err != nil {
		s.T.Fatal(err)
	}
	return plan
}

// Run plans and executes. The error is that of Execute.
func (s *Scene) Run(ctx context.Context, procfs proc.Procfs) (*run.Report, error) {
	s.T.Helper()
	return run.Execute(ctx, s.Plan(procfs), s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs})
}

// WithGrace runs with an hour of grace and returns the run as it is listed.
func (s *Scene) WithGrace() (*run.Report, undo.Run) {
	s.T.Helper()
	procfs := Process(s.T, 1)
	report, err := run.Execute(context.Background(), s.Plan(procfs), s.Tape, run.ExecuteOptions{Now: time.Now, Procfs: procfs, Grace: time.Hour})
	if err != nil {
		s.T.Fatal(err)
	}
	runs := Must(undo.Runs(context.Background(), s.Store, time.Now(), read.ReadOptions{Procfs: procfs}))
	if len(runs) != 1 {
		s.T.Fatalf("runs %+v", runs)
	}
	return report, runs[0]
}

// Records lists the names in namespace default, by what is in their digests.
func (s *Scene) Records() []string {
	names := []string{}
	for _, image := range Must(s.Store.Images().List(s.Ctx)) {
		names = append(names, Legend(image.Name))
	}
	return names
}

// HasBlob looks for the blob of that text in namespace default.
func (s *Scene) HasBlob(text string) bool {
	_, err := s.Store.Content().Info(s.Ctx, Digest(text))
	return err == nil
}

// Collect has containerd collect its garbage.
func (s *Scene) Collect() { Must(s.Store.DB.GarbageCollect(context.Background())) }

// Add makes something in namespace default.
func (s *Scene) Add(things ...Thing) {
	for _, t := range things {
		Must(0, t.Create(s.Ctx, s.Store))
	}
}

// FreeLock deletes the run lease, whose ever it is.
func FreeLock(ctx context.Context, store store.Store) error {
	return store.Leases().Delete(ctx, leases.Lease{ID: ours.RunID})
}

// untransactional deletes as a daemon does, and not in one transaction.
type untransactional struct{ *root.RootStore }

// Singly is a store whose records are deleted one by one.
func Singly(s *root.RootStore) store.Store { return untransactional{RootStore: s} }

func (untransactional) Transactional() bool { return false }

func (untransactional) Batch(ctx context.Context, fn func(context.Context) error) error {
	return fn(ctx)
}

// CheckRecordNames compares the names in namespace default.
func CheckRecordNames(t *testing.T, s *Scene, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, s.Records(), cmp.Transformer("nil", func(l []string) []string { return append([]string{}, l...) })); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// CheckNothingOfOurs checks that the run left neither its lease nor its plan.
func CheckNothingOfOurs(t TB, s *root.RootStore) {
	t.Helper()
	for _, ns := range Must(s.Namespaces(context.Background())) {
		ctx := store.InNamespace(context.Background(), ns)
		for _, lease := range Must(s.Leases().List(ctx)) {
			if ours.KindOf(lease).Ours() {
				t.Errorf("lease %s is left in %s", lease.ID, ns)
			}
		}
		err := s.Content().Walk(ctx, func(info content.Info) error {
			if info.Labels["ctr-prune/plan"] != "" {
				t.Errorf("plan blob %s is left in %s", info.Digest, ns)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Options are those of what is done now.
func Options() run.ExecuteOptions { return run.ExecuteOptions{Now: time.Now} }

// OptionsAt are those of what is done at another time.
func OptionsAt(now time.Time) run.ExecuteOptions {
	return run.ExecuteOptions{Now: func() time.Time { return now }}
}
