package gc_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"pgregory.net/rapid"

	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/store/root"
	tw "github.com/ctr-prune/ctr-prune/prune/internal/testworld"
)

// gcShards are run in parallel; each checks 100 worlds unless -rapid.checks
// says otherwise.
const gcShards = 12

// TestCollectionIsForetold is the property that everything rests on: what the
// model says a collection takes after a random prune of a random store is what
// containerd's own collector takes, object by object, in both directions.
func TestCollectionIsForetold(t *testing.T) {
	var worlds, freed, garbage, held, orphans atomic.Int64
	t.Run("shards", func(t *testing.T) {
		for shard := range gcShards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				dirs := tw.NewDirs(t)
				rapid.Check(t, func(t *rapid.T) {
					tw.SkipDraws(t, shard)
					o := checkForetold(t, tw.RandomWorld(t, tw.Shape{Spaces: tw.RandomSpaces, Expectations: true, Odd: true}), dirs)
					worlds.Add(1)
					freed.Add(int64(len(o.Freed.Blobs) + len(o.Freed.Snapshots)))
					garbage.Add(int64(len(o.Garbage.Blobs) + len(o.Garbage.Snapshots)))
					held.Add(int64(len(o.Held)))
					orphans.Add(int64(len(o.Orphans)))
				})
			})
		}
	})
	t.Logf("%d worlds: %d objects freed, %d garbage, %d held, %d orphaned configs", worlds.Load(), freed.Load(), garbage.Load(), held.Load(), orphans.Load())
}

func checkForetold(t *rapid.T, w tw.World, dirs func() (string, func())) foreseen {
	dir, remove := dirs()
	defer remove()
	defer func() {
		if t.Failed() {
			t.Log(w)
		}
	}()
	s := w.Build(t, dir)
	defer func() { tw.Must(0, s.Close()) }()
	if rapid.Bool().Draw(t, "collect before") {
		inv := tw.ReadWhole(t, s)
		checkCollection(t, s, inv, outcomeOf(inv, nil), nil)
		inv = tw.ReadWhole(t, s)
		if o := outcomeOf(inv, nil); o.Garbage.Amount() != (inventory.Amount{}) {
			t.Fatalf("garbage right after a collection: %+v", o.Garbage)
		}
	}
	inv := tw.ReadWhole(t, s)
	decisions, o, runs := randomPrune(t, inv)
	perform(t, s, decisions, o)
	checkCollection(t, s, inv, o, decisions)
	if runs {
		checkStays(t, s, decisions)
	}
	checkHeld(t, s, inv, o, decisions)
	// What would go anyway is garbage, and only what would not is freed.
	anyway := outcomeOf(inv, nil)
	if wrong := o.Freed.Within(anyway.Garbage); anyway.Freed.Amount() != (inventory.Amount{}) || wrong.Amount() != (inventory.Amount{}) {
		t.Fatalf("counted as freed, but garbage: %+v, %+v", anyway.Freed, wrong)
	}
	if wrong := o.Garbage.Without(anyway.Garbage); wrong.Amount() != (inventory.Amount{}) {
		t.Fatalf("counted as garbage, but freed: %+v", wrong)
	}
	return o
}

// foreseen is an outcome and what can be reached then.
type foreseen struct {
	plan.Outcome
	after graph.Reached
}

// outcomeOf is what the model expects of decisions and nothing else.
func outcomeOf(inv *inventory.Inventory, decisions []rules.Decision) foreseen {
	o, after := plan.Foresee(gc.NewCollector(inv, time.Now()), inv, decisions, nil)
	return foreseen{o, after}
}

// randomPrune decides what goes: by a plan, or by a throw of the dice, which
// gets into states that no plan does.
func randomPrune(t *rapid.T, inv *inventory.Inventory) (decisions []rules.Decision, o foreseen, runs bool) {
	now := time.Now()
	if rapid.Bool().Draw(t, "by a plan") {
		plan, err := plan.NewPlan(inv, tw.RandomPolicy(t, inv), now)
		if err != nil {
			t.Fatal(err)
		}
		return plan.Decisions, foreseen{plan.Outcome, plan.Modelled().After}, len(plan.Refused) == 0
	}
	for _, ns := range inv.Namespaces {
		names := make(map[string]bool)
		for _, image := range ns.Images {
			names[image.Name] = true
		}
		for _, image := range ns.Images {
			d := rules.Decision{Namespace: ns.Name, Name: image.Name, Target: image.Target, Image: &image, Action: rules.Keep}
			switch tw.Uniform(t, 5, "action") {
			case 0, 1, 2:
				d.Action = rules.Remove
			case 3:
				if standIn := rules.StandInName(ns.Name, image.Target.Digest); !names[standIn] {
					d.Action, d.StandIn, names[standIn] = rules.StandIn, standIn, true
				}
			}
			decisions = append(decisions, d)
		}
	}
	return decisions, outcomeOf(inv, decisions), false
}

// perform does by hand what decisions say, without the locks and the looks of
// Execute.
func perform(t tw.TB, s *root.RootStore, decisions []rules.Decision, o foreseen) {
	t.Helper()
	for _, d := range decisions {
		ctx := store.InNamespace(context.Background(), d.Namespace)
		if d.Action == rules.StandIn {
			tw.Must(s.Images().Create(ctx, d.StandInRecord()))
		}
	}
	for _, d := range decisions {
		if d.Gone() {
			tw.Must(0, s.Images().Delete(store.InNamespace(context.Background(), d.Namespace), d.Name))
		}
	}
	for _, orphan := range o.Orphans {
		ctx := store.InNamespace(context.Background(), orphan.Namespace)
		tw.Must(0, store.Unlabel(ctx, s.Content(), orphan.Config, orphan.Labels))
	}
}

// checkCollection collects and compares what is left with the outcome, in each
// namespace and on the disk.
func checkCollection(t tw.TB, s *root.RootStore, inv *inventory.Inventory, o foreseen, decisions []rules.Decision) {
	t.Helper()
	tw.Must(s.DB.GarbageCollect(context.Background()))
	if diff := tw.Differences(tw.Foretold(inv, o.after, decisions), tw.Census(t, s)); diff != "" {
		t.Fatalf("%s%s", tw.Legend(diff), tw.Legend(paths(o.after, diff)))
	}
	files := tw.Must(s.BlobFiles(context.Background()))
	for dgst := range inv.Objects().Blobs {
		_, isFreed := o.Freed.Blobs[dgst]
		_, isGarbage := o.Garbage.Blobs[dgst]
		if _, there := files[dgst]; there == (isFreed || isGarbage) {
			t.Fatalf("file of %s: there %v, freed %v, garbage %v", tw.Legend(dgst.String()), there, isFreed, isGarbage)
		}
	}
	left := inv.Objects().Without(o.Freed).Without(o.Garbage)
	for id := range left.Snapshots {
		if _, err := s.Snapshotter(id.Snapshotter).Stat(store.InNamespace(context.Background(), id.Namespace), id.Key); err != nil {
			t.Fatalf("%v was to stay: %v", id, err)
		}
	}
}

// checkStays holds a plan to what it says: the records that are to stay are there
// after the collection, with their targets.
func checkStays(t tw.TB, s *root.RootStore, decisions []rules.Decision) {
	t.Helper()
	for _, d := range decisions {
		name := d.Name
		if d.Action == rules.StandIn {
			name = d.StandIn
		}
		if d.Action == rules.Remove {
			continue
		}
		now, err := s.Images().Get(store.InNamespace(context.Background(), d.Namespace), name)
		if err != nil || now.Target.Digest != d.Target.Digest {
			t.Fatalf("%s in %s was to stay (%s), and is not there: %v", tw.Legend(name), d.Namespace, tw.Legend(d.Reason), err)
		}
	}
}

// checkHeld compares the list of what is held back with what is there, for all
// that hangs on the removed images by plain references.
func checkHeld(t tw.TB, s *root.RootStore, inv *inventory.Inventory, o foreseen, decisions []rules.Decision) {
	t.Helper()
	files := tw.Must(s.BlobFiles(context.Background()))
	there := tw.Census(t, s)
	listed := make(map[string]bool)
	for _, h := range o.Held {
		if h.Holder == "" {
			t.Errorf("%+v has no holder", h)
		}
		if h.Digest != "" {
			listed[h.Namespace+" content "+h.Digest.String()] = true
			if _, ok := files[h.Digest]; !ok {
				t.Errorf("%s is listed as held, but gone", tw.Legend(h.Digest.String()))
			}
			continue
		}
		line := h.Namespace + " snapshot " + h.Snapshot
		listed[line] = true
		if !there[line] {
			t.Errorf("%s is listed as held, but gone", line)
		}
	}
	for _, d := range decisions {
		if !d.Gone() {
			continue
		}
		ns := inv.Namespace(d.Namespace)
		for line, dgst := range hangingOn(ns, d.Target.Digest) {
			_, onDisk := files[dgst]
			if (there[line] || onDisk) && !listed[line] {
				t.Errorf("%s of %s is there, but not listed as held", tw.Legend(line), d.Name)
			}
		}
	}
}

// hangingOn lists what plain labels tie to a target: blobs with their digests,
// and snapshots.
func hangingOn(ns *inventory.Namespace, target digest.Digest) map[string]digest.Digest {
	found := make(map[string]digest.Digest)
	for todo := []digest.Digest{target}; len(todo) > 0; todo = todo[1:] {
		info, known := ns.Blobs[todo[0]]
		line := ns.Name + " content " + todo[0].String()
		if _, seen := found[line]; seen || !known {
			continue
		}
		found[line] = todo[0]
		for key, value := range info.Labels.Map() {
			switch key {
			case "containerd.io/gc.ref.content", "containerd.io/gc.ref.content.0", "containerd.io/gc.ref.content.config":
				todo = append(todo, digest.Digest(value))
			case "containerd.io/gc.ref.snapshot.memory":
				for name := value; name != ""; {
					snapshot, known := ns.Snapshots[inventory.SnapshotKey{Snapshotter: "memory", Key: name}]
					if !known {
						break
					}
					found[ns.Name+" snapshot memory/"+name] = ""
					name = snapshot.Parent
				}
			}
		}
	}
	return found
}

// paths writes from where the model comes to the objects that a text names.
func paths(after graph.Reached, text string) string {
	var b strings.Builder
	for _, n := range slices.SortedFunc(after.All(), gc.CompareNodes) {
		if n.Key == "" || !strings.Contains(text, n.Namespace+" "+graph.KindNames[n.Kind]+" "+n.Key+"\n") {
			continue
		}
		fmt.Fprintf(&b, "%s %s", graph.KindNames[n.Kind], n.Key)
		for id := after.Graph.Lookup(n); after.From[id] != id; {
			id = after.From[id]
			n = after.Graph.Nodes[id]
			fmt.Fprintf(&b, " ← %s %s", graph.KindNames[n.Kind], n.Key)
		}
		b.WriteString("\n")
	}
	return b.String()
}
