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
func drawn(t *rapid.T, tied bool) (tw.World, *inventory.Inventory, rules.Policy) {
	w := tw.RandomWorld(t, tw.Shape{Spaces: tw.RandomSpaces})
	if !tied {
		tw.Untie(w)
	}
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
		w, inv, policy := drawn(t, true)
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

// freedOn is what a plan frees, garbage with it, on each of the two file systems.
func freedOn(p *plan.Plan) (all [2]inventory.Objects) {
	all = [2]inventory.Objects{inventory.NewObjects(), inventory.NewObjects()}
	for _, o := range []inventory.Objects{p.Outcome.Freed, p.Outcome.Garbage} {
		maps.Copy(all[0].Blobs, o.Blobs)
		for id, bytes := range o.Snapshots {
			at := 0
			if id.Snapshotter == "memory" {
				at = 1
			}
			all[at].Snapshots[id] = bytes
		}
	}
	return all
}

// enough says whether that is at least as much as is asked for.
func enough(p *plan.Plan, asked filesystem.Pressure) bool {
	freed := freedOn(p)
	for i, f := range asked.FileSystems {
		if freed[i].Amount().TotalBytes < f.NeedBytes {
			return false
		}
	}
	return freed[0].Amount().TotalBytes+freed[1].Amount().TotalBytes >= asked.FreeBytes
}

// short are the file systems on which something has to go.
func short(asked filesystem.Pressure) (all []int) {
	for i, f := range asked.FileSystems {
		if f.NeedBytes > 0 || asked.FreeBytes > 0 {
			all = append(all, i)
		}
	}
	return all
}

// What is chosen goes, as decided anew; it frees as much where something is missing
// as the shortest beginning of the order that is enough, found by trying all; and of
// what is chosen nothing could stay: without any one of its images less is freed
// there.
func TestNoMoreGoesThanFreesEnough(t *testing.T) {
	var chosen, left, unreached atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		tied := tw.Uniform(t, 4, "tied") == 0
		w, inv, policy := drawn(t, tied)
		defer func() {
			if t.Failed() {
				t.Log(w)
			}
		}()
		asked := policy.Pressure
		needs := []int64{0, 1, 12, 9000, 30_000, 1 << 40}
		asked.FileSystems[0].NeedBytes = tw.Pick(t, needs, "need of the first")
		asked.FileSystems[1].NeedBytes = tw.Pick(t, needs, "need of the second")
		asked.FreeBytes = tw.Pick(t, append(needs, 0, 0), "need of all")
		all, blocked, err := pressure.Steps(inv, policy, tw.Noon)
		if blocked || err != nil || len(short(*asked)) == 0 || awaitsStandIn(w, tw.Must(plan.NewPlan(inv, policy, tw.Noon))) {
			return
		}
		p, m, err := pressure.NewPlan(inv, policy, tw.Noon, nil)
		if err != nil {
			t.Fatal(err)
		}
		var shortest *plan.Plan
		var going []rules.Decision
		var dropped []string
		for _, step := range all {
			going, dropped = append(going, step.Going...), append(dropped, step.Dropped...)
			if shortest = by(inv, policy, going, dropped); enough(shortest, *asked) {
				break
			}
		}
		if reached := enough(shortest, *asked); reached != p.Relief.Reached && (len(gone(p)) > 0 || len(p.Policy.Dropped) > 0) {
			t.Fatalf("reached: %v, want %v: %+v", p.Relief.Reached, reached, p.Relief)
		} else if !reached {
			unreached.Add(1)
		}
		was, is := freedOn(shortest), freedOn(p)
		for _, i := range short(*asked) {
			if diff := cmp.Diff(was[i], is[i]); diff != "" {
				t.Fatalf("freed on %d (-shortest beginning %v +chosen %v):\n%s", i, keysOf(going), gone(p), diff)
			}
		}
		chosen.Add(int64(len(gone(p))))
		left.Add(int64(len(keysOf(going)) - len(gone(p))))
		checkAdds(t, p, m)
		if !tied {
			checkNeeded(t, inv, policy, p, is)
		}
	})
	t.Logf("%d records chosen, %d of a beginning left out, %d times not enough", chosen.Load(), left.Load(), unreached.Load())
}

// checkAdds checks that what each image adds is all that is freed, but for what an
// earlier run or an upload held.
func checkAdds(t *rapid.T, p *plan.Plan, m *plan.Model) {
	weights := p.Adding(m)
	sum := weights.RestBytes()
	for _, w := range weights.Images {
		sum += w.FreesBytes
	}
	if total := p.Predicted().TotalBytes; sum != total || len(p.Ended()) == 0 && weights.RestBytes() != 0 {
		t.Fatalf("the images and the rest add %d bytes, and %d are freed: %v", sum, total, weights)
	}
}

// checkNeeded keeps each image that goes, one after the other, with what has to stay
// then: less is freed where something is missing.
func checkNeeded(t *rapid.T, inv *inventory.Inventory, policy rules.Policy, p *plan.Plan, freed [2]inventory.Objects) {
	var going []rules.Decision
	targets := make(map[plan.ImageKey]bool)
	followers := pressure.Followers(inv, policy, tw.Noon) // these go with their images, whatever that frees
	for _, d := range p.Decisions {
		if !d.Gone() {
			continue
		}
		if going = append(going, d); !followers[d.Key()] {
			targets[plan.ImageKey{Namespace: d.Namespace, Target: d.Target.Digest}] = true
		}
	}
	for key := range targets {
		rest := slices.DeleteFunc(slices.Clone(going), func(d rules.Decision) bool {
			return d.Namespace == key.Namespace && d.Target.Digest == key.Target
		})
		without := freedOn(by(inv, policy, rest, p.Policy.Dropped))
		same := true
		for _, i := range short(*policy.Pressure) {
			same = same && cmp.Equal(freed[i], without[i])
		}
		if same {
			t.Fatalf("%v goes, and just as much is freed without it", key)
		}
	}
}
