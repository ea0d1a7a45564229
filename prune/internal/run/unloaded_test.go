package run_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/proc"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// forgetful is a store whose containerd is started again during the run, without
// a snapshotter.
type forgetful struct {
	store.Store
	again func() bool
}

func (s forgetful) Info(ctx context.Context) (store.StoreInfo, error) {
	info, err := s.Store.Info(ctx)
	if s.again() {
		info.Snapshotters = slices.DeleteFunc(slices.Clone(info.Snapshotters), func(name string) bool { return name == "memory" })
	}
	return info, err
}

// What nobody can look for is not counted as freed.
func TestSnapshotterIsLostDuringTheRun(t *testing.T) {
	s := tw.NewScene(t, tw.World{"default": {
		tw.Blob("a", tw.RefContent("b")), tw.Blob("b", tw.RefSnapshot("s1")), tw.Snapshot("s1", ""), tw.Record("x:1", "a"),
	}})
	deleted := false
	s.Tape.Before = func(call string) error {
		deleted = deleted || strings.HasPrefix(call, "delete")
		return nil
	}
	store := forgetful{s.Tape, func() bool { return deleted }}
	report, err := run.Execute(context.Background(), s.Plan(proc.Procfs{}), store, run.ExecuteOptions{Now: time.Now})
	if err == nil || !strings.Contains(err.Error(), `containerd lost snapshotter ["memory"]`) {
		t.Errorf("the run ended with %v", err)
	}
	if freed := report.Reclaimed; freed.Snapshots != 0 || freed.Blobs != 2 {
		t.Errorf("the report says that %+v was freed", freed)
	}
}
