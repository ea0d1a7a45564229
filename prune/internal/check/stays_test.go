package check_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/check"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
	"github.com/ctr-prune/ctr-prune/prune/internal/undo"
)

// What a killed run left is not finished where a collection would take a record
// that is to stay. It is said, and nothing is collected.
func TestKilledRunIsNotFinishedWhileARecordWouldGo(t *testing.T) {
	for what, finish := range map[string]func(s *tw.Scene, opts run.ExecuteOptions) error{
		"repair": func(s *tw.Scene, opts run.ExecuteOptions) error {
			found := tw.Must(check.Check(context.Background(), s.Store, time.Now(), check.CheckOptions{Read: read.ReadOptions{Procfs: opts.Procfs}})).Findings
			_, err := check.Repair(context.Background(), s.Store, found, opts)
			return err
		},
		"pruning of leases": func(s *tw.Scene, opts run.ExecuteOptions) error {
			listed := tw.Must(undo.Leases(context.Background(), s.Store, time.Now(), read.ReadOptions{Procfs: opts.Procfs}))
			_, err := undo.PruneLeases(context.Background(), s.Store, listed, opts)
			return err
		},
	} {
		t.Run(what, func(t *testing.T) {
			s := tw.NewScene(t, tw.Small())
			s.Crash("delete x:1")
			over := tw.Expiring(time.Now().Add(-time.Minute))
			s.Add(tw.Record("p:1", "p", over, tw.Labelled(rules.LabelKeep, "yes")), tw.Blob("p"), tw.Lease("old", over))
			before := tw.Census(t, s.Store)
			var stay *plan.StayError
			if err := finish(s, run.ExecuteOptions{Now: time.Now, Procfs: tw.Process(t, 2)}); !errors.As(err, &stay) || stay.Name != "p:1" {
				t.Errorf("it ended with %v", err)
			}
			if diff := tw.Differences(before, tw.Census(t, s.Store)); diff != "" {
				t.Errorf("it did:\n%s", diff)
			}
		})
	}
}
