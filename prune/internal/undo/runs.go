package undo

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/leases"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/journal"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/run"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// Run is a run that has a grace period and can still be undone.
type Run struct {
	Name    string    `json:"run"`
	Started time.Time `json:"started"`
	// Until is when the grace ends. Past it the run can be undone only for
	// as long as containerd has not collected.
	Until      time.Time          `json:"until"`
	Namespaces []string           `json:"namespaces"`
	Records    []inventory.Record `json:"records"`
	// Holds is what would be reclaimed by dropping the run now.
	Holds inventory.Amount `json:"holds"`
}

// Runs reads the store and lists the runs that can be undone, newest first.
func Runs(ctx context.Context, store store.Store, now time.Time, opts read.ReadOptions) ([]Run, error) {
	inv, err := read.ReadMeasured(ctx, store, inventory.Scope{}, now, opts, (*gc.Collector).SnapshotsOfLeases)
	if err != nil {
		return nil, err
	}
	return runsOf(ctx, inv, store, now)
}

func runsOf(ctx context.Context, inv *inventory.Inventory, store store.Store, now time.Time) ([]Run, error) {
	found := make(map[string]int)
	runs := []Run{}
	var graces [][]graph.Node // the live leases of each
	c := gc.NewCollector(inv, now)
	for _, ns := range inv.Namespaces {
		for _, lease := range ns.Leases {
			run, ok := leases.GraceOf(lease.Lease)
			until, _ := leases.Expiry(lease.Lease)
			if !ok {
				continue
			}
			plan, err := journal.KeptPlan(ctx, store, ns.Name, run)
			if errdefs.IsNotFound(err) {
				continue // given up, or collected, since the store was read
			}
			if err != nil {
				return nil, err
			}
			i, known := found[run]
			if !known {
				i = len(runs)
				found[run] = i
				runs, graces = append(runs, Run{Name: run, Started: lease.CreatedAt, Until: until}), append(graces, nil)
			}
			r := &runs[i]
			r.Namespaces = append(r.Namespaces, ns.Name)
			r.Records = append(r.Records, recordsOf(plan)...)
			if c.Live(lease) {
				graces[i] = append(graces[i], graph.Node{Kind: graph.KindLease, Namespace: ns.Name, Key: lease.ID})
			}
		}
	}
	for i, sum := range c.Alone(graces) {
		runs[i].Holds = sum
	}
	slices.SortFunc(runs, func(a, b Run) int { return cmp.Compare(b.Name, a.Name) })
	return runs, nil
}

func recordsOf(plan journal.PastPlan) []inventory.Record {
	records := make([]inventory.Record, len(plan.Records))
	for i, d := range run.DecisionsOf(plan) {
		records[i] = d.Record()
	}
	slices.SortFunc(records, inventory.CompareRecords)
	return records
}
