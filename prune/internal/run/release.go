package run

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/lock"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
)

// sliceTries is how often the collection of a slice is asked for.
const sliceTries = 2

// releaseInSlices gives up what the run deleted, slice by slice, each of which a
// collection removes before the next one, so that none takes long. What is still
// held can be restored until then: the run looks again whenever something has
// appeared that may need it. The last slice remains, for the collection with
// which the run ends; it is the only one where little was deleted.
//
// The error is that of a look: what is still held remains so.
func (x *Execution) releaseInSlices(ctx context.Context) error {
	if !x.slices() {
		return nil
	}
	s := slicer{limit: x.opts.MaxStall}
	rest := x.portions()
	progress := read.NewMeter(x.opts.Progress, read.StageCollect)
	progress.Total = len(rest)
	for {
		slice, objects := cut(rest, s.size())
		rest = rest[len(slice):]
		if len(rest) == 0 || x.late() {
			return nil
		}
		if err := x.collectSlice(ctx, &s, slice, objects); err != nil {
			if ctx.Err() != nil || x.silent(ctx, err) != nil {
				return err
			}
			x.fail(cause.CodeSliceFailed, fmt.Errorf("what was deleted is collected all at once, because a part of it could not be: %w", err))
			return x.lookBetween(ctx) // that took its time, too
		}
		progress.Add(len(slice))
		collected := x.opts.Now()
		if err := x.lookBetween(ctx); err != nil {
			return err
		}
		s.beside = x.opts.Now().Sub(collected)
	}
}

// slices says whether the run gives up what it deleted in slices: where others
// wait meanwhile, and where something holds what is not given up yet. What build
// history held goes with the first collection, because the labels are off.
func (x *Execution) slices() bool {
	return x.opts.MaxStall > 0 && x.opts.Grace <= 0 && !x.opts.NoGuard && !x.Store.Transactional() && len(x.unleased) == 0
}

// cut takes so many objects off the front, or one portion if that has more.
func cut(rest []portion, size int) (slice []portion, objects int) {
	for n, p := range rest {
		if n > 0 && objects+p.objects > size {
			return rest[:n], objects
		}
		objects += p.objects
	}
	return rest, objects
}

// collectSlice gives up a slice and has it collected. After the first one it
// asks for one collection more, to learn what a look at the store takes, unless that is
// plain because the first took far longer than what it had to remove.
func (x *Execution) collectSlice(ctx context.Context, s *slicer, slice []portion, objects int) error {
	begun := x.opts.Now()
	if err := x.release(ctx, slice); err != nil {
		return err
	}
	s.beside += x.opts.Now().Sub(begun)
	took, err := x.collectAgain(ctx, slice[0].namespace)
	if err != nil {
		return err
	}
	if s.last == 0 {
		look := took
		if !s.mostlyLooked(took) {
			if look, err = x.collectAgain(ctx, slice[0].namespace); err != nil {
				return err
			}
		}
		s.collected(0, look)
	}
	s.collected(objects, took)
	return nil
}

// release takes back what holds the targets of a slice.
func (x *Execution) release(ctx context.Context, slice []portion) error {
	targets := make(map[string][]digest.Digest)
	for _, p := range slice {
		targets[p.namespace] = append(targets[p.namespace], p.targets...)
		for _, target := range p.targets {
			x.released[[2]string{p.namespace, target.String()}] = true
		}
	}
	for _, ns := range slices.Sorted(maps.Keys(targets)) {
		ctx := store.InNamespace(ctx, ns)
		for _, held := range x.holdings[ns] {
			if err := held.Release(ctx, x.Store.Content(), targets[ns]); IgnoreNotFound(err) != nil {
				return fmt.Errorf("namespace %q: %w", ns, err)
			}
		}
	}
	return nil
}

// restorable are the records that were deleted and can still be restored.
func (x *Execution) restorable() map[string][]rules.Decision {
	if len(x.released) == 0 {
		return x.attempted
	}
	held := make(map[string][]rules.Decision, len(x.attempted))
	for ns, decisions := range x.attempted {
		held[ns] = slices.DeleteFunc(slices.Clone(decisions), func(d rules.Decision) bool {
			return x.released[[2]string{ns, d.Target.Digest.String()}]
		})
	}
	return held
}

// collectAgain asks for a collection, once more if that fails.
func (x *Execution) collectAgain(ctx context.Context, ns string) (took collection, err error) {
	for try := 1; ; try++ {
		took, err = x.stalled(ctx, func() error { return x.collectAnyway(ctx, ns) })
		if err == nil || try == sliceTries || lock.IsUnended(err) || x.silent(ctx, err) != nil || pause(ctx, try) != nil {
			return took, err
		}
	}
}

// lookBetween looks at the whole store again if something has appeared since that
// may need what is still held, or if nobody tells of all that appears. It does not
// wait between two looks, because a slice is no better moment than another: where
// containers appear all the time there is no pause in it.
func (x *Execution) lookBetween(ctx context.Context) error {
	needed, err := x.newcomersNeed(ctx)
	if err != nil || !needed && x.Watch.sees() {
		return err
	}
	return x.lookUntilSettled(ctx, func(context.Context, int) error { return nil })
}

// portion is the least that a run can give up: a target of records that it
// deleted, with what is about it, such as its signatures.
type portion struct {
	namespace string
	targets   []digest.Digest
	// objects are how many objects a collection can remove when this portion is
	// given up after those before it: one for its blobs, which go quickly, and
	// its snapshots.
	objects int
}

// portions divides what the run deleted and still holds.
func (x *Execution) portions() []portion {
	var all []portion
	for _, b := range x.Batches {
		tried := make(map[[2]string]bool, len(b.Records))
		for _, d := range x.attempted[b.Namespace.Name] {
			tried[d.Key()] = true
		}
		at := make(map[digest.Digest]int) // where the portion of a target is in the list
		for _, d := range b.Records {
			if tried[d.Key()] {
				all = addTo(all, at, d, b.Namespace.Subjects[d.Target.Digest])
			}
		}
	}
	x.weigh(all)
	return all
}

// addTo adds the target of a record to the portion of its subject, or to its own.
func addTo(all []portion, at map[digest.Digest]int, d rules.Decision, subject digest.Digest) []portion {
	target := d.Target.Digest
	group := cmp.Or(subject, target)
	i, known := at[group]
	if !known {
		i = len(all)
		at[group] = i
		all = append(all, portion{namespace: d.Namespace})
	}
	if !slices.Contains(all[i].targets, target) {
		all[i].targets = append(all[i].targets, target)
	}
	return all
}

// weigh counts the snapshots of the plan that each portion is the last to reach.
func (x *Execution) weigh(all []portion) {
	c := gc.NewCollector(x.plan.Inventory, x.plan.Now)
	goes := make([]bool, len(c.Graph.Nodes))
	for id := range x.plan.Outcome.Freed.Snapshots {
		if n := c.Graph.Lookup(id.Node()); n != graph.Nowhere {
			goes[n] = true
		}
	}
	counted := make([]bool, len(c.Graph.Nodes))
	walk := c.Walk()
	for i := range slices.Backward(all) {
		p := &all[i]
		p.objects = 1
		for _, target := range p.targets {
			walk.Within(graph.ContentNode(p.namespace, target), func(id graph.NodeID) bool { return !counted[id] }, func(id graph.NodeID) {
				counted[id] = true
				if goes[id] {
					p.objects++
				}
			})
		}
	}
}
