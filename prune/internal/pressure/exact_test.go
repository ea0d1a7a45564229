package pressure_test

import (
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/prune/internal/filesystem"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/pressure"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// drawn is a random store with a policy.
func drawn(t *rapid.T) (tw.World, *inventory.Inventory, rules.Policy) {
	w := tw.RandomWorld(t, tw.Shape{Spaces: tw.RandomSpaces})
	inv := w.Inventory()
	policy := tw.RandomPolicy(t, inv)
	policy.Pressure = &filesystem.Pressure{FileSystems: []filesystem.FileSystem{
		{Content: true, Snapshotters: []string{"other"}}, {Snapshotters: []string{"memory"}},
	}}
	return w, inv, policy
}

// by is the plan that removes just some records.
func by(inv *inventory.Inventory, policy rules.Policy, going []rules.Decision, dropped []string) *plan.Plan {
	narrow := policy.Narrow(nil, going)
	narrow.Dropped = dropped
	return tw.Must(plan.NewPlan(inv, narrow, tw.Noon))
}

// awaitsStandIn says whether a label names a stand-in that the plan would make: it
// holds something from then on that is garbage before.
func awaitsStandIn(w tw.World, p *plan.Plan) bool {
	made := make(map[string]bool)
	for _, d := range p.Decisions {
		made[d.StandIn] = d.StandIn != ""
	}
	for _, things := range w {
		for _, thing := range things {
			for _, value := range thing.Labels {
				if made[value] {
					return true
				}
			}
		}
	}
	return false
}

func gone(p *plan.Plan) (keys [][2]string) {
	for _, d := range p.Decisions {
		if d.Gone() && d.ReasonCode != "expired" {
			keys = append(keys, d.Key())
		}
	}
	return keys
}

func keysOf(going []rules.Decision) (keys [][2]string) {
	for _, d := range going {
		keys = append(keys, d.Key())
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	return keys
}

// Of every beginning of the order, deciding anew with just its records removes all
// of them and no other, and what the walk says of what is freed is what a collection
// frees, by a mark of its own.
func TestEveryBeginningOfTheOrder(t *testing.T) {
	var steps, shared atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		w, inv, policy := drawn(t)
		defer func() {
			if t.Failed() {
				t.Log(w)
			}
		}()
		all, blocked, err := pressure.Steps(inv, policy, tw.Noon)
		if blocked || err != nil || awaitsStandIn(w, tw.Must(plan.NewPlan(inv, policy, tw.Noon))) {
			return
		}
		frees := inventory.NewObjects()
		var going []rules.Decision
		var dropped []string
		for _, step := range all {
			going, dropped = append(going, step.Going...), append(dropped, step.Dropped...)
			maps.Copy(frees.Blobs, step.Frees.Blobs)
			maps.Copy(frees.Snapshots, step.Frees.Snapshots)
			p := by(inv, policy, going, dropped)
			if diff := cmp.Diff(keysOf(going), gone(p)); diff != "" {
				t.Fatalf("removed (-beginning +decided):\n%s", diff)
			}
			want := inventory.NewObjects()
			for _, o := range []inventory.Objects{p.Outcome.Freed, p.Outcome.Garbage} {
				maps.Copy(want.Blobs, o.Blobs)
				maps.Copy(want.Snapshots, o.Snapshots)
			}
			if diff := cmp.Diff(want, frees); diff != "" {
				t.Fatalf("freed by %v and %v (-collected +walked):\n%s", keysOf(going), dropped, diff)
			}
			steps.Add(1)
			if len(step.Going) > 1 {
				shared.Add(1)
			}
		}
	})
	t.Logf("%d steps, %d of several records", steps.Load(), shared.Load())
}
