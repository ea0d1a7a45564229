package pruning

import (
	"context"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/filters"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Sources makes the sources of a run from its store.
type Sources func(prune.Store) []prune.Source

// None is for runs without sources.
func None(prune.Store) []prune.Source { return nil }

// All is the policy of -a for some namespaces, or for all if none is named.
func All(namespaces ...string) prune.Policy {
	return prune.Policy{Namespaces: namespaces, AllNamespaces: len(namespaces) == 0, Filters: filters.Everything()}
}

// Dangling is the policy without -a.
func Dangling(namespaces ...string) prune.Policy {
	return prune.Policy{Namespaces: namespaces, AllNamespaces: len(namespaces) == 0}
}

// Plan reads the store at address and plans.
func Plan(tb testing.TB, address string, policy prune.Policy, sources Sources) *prune.Plan {
	tb.Helper()
	var plan *prune.Plan
	with(tb, address, func(ctx context.Context, store prune.Store) {
		plan = planned(ctx, tb, store, policy, sources)
	})
	return plan
}

// Run prunes the store at address. between, if not nil, is called when the
// plan is made and nothing is done yet.
func Run(tb testing.TB, address string, policy prune.Policy, sources Sources, between func()) *prune.Report {
	tb.Helper()
	report, err := Try(tb, address, policy, sources, between)
	if err != nil {
		tb.Fatalf("executing: %v", err)
	}
	return report
}

// Try is Run for a run that may fail.
func Try(tb testing.TB, address string, policy prune.Policy, sources Sources, between func()) (report *prune.Report, err error) {
	tb.Helper()
	with(tb, address, func(ctx context.Context, store prune.Store) {
		plan := planned(ctx, tb, store, policy, sources)
		if between != nil {
			between()
		}
		report, err = prune.Execute(ctx, store, plan, prune.ExecuteOptions{Now: time.Now, Sources: sources(store)})
	})
	return report, err
}

func with(tb testing.TB, address string, do func(context.Context, prune.Store)) {
	tb.Helper()
	store, err := prune.Open(tb.Context(), address)
	if err != nil {
		tb.Fatal(err)
	}
	defer store.Close()
	do(tb.Context(), store)
}

func planned(ctx context.Context, tb testing.TB, store prune.Store, policy prune.Policy, sources Sources) *prune.Plan {
	tb.Helper()
	now := time.Now()
	plan, err := prune.ReadPlan(ctx, store, policy, now, prune.ReadOptions{Sources: sources(store)})
	if err != nil {
		tb.Fatalf("planning: %v", err)
	}
	return plan
}
