package run

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/disk"
	"github.com/ctr-prune/ctr-prune/prune/internal/gc"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/plan"
	"github.com/ctr-prune/ctr-prune/prune/internal/read"
)

// measure reads the store again and fills the report with what is gone.
func (x *Execution) measure(ctx context.Context) {
	read.NewMeter(x.opts.Progress, read.StageMeasure).Add(0)
	// Files first: a blob that is pulled again meanwhile is then known by the
	// time that the store is read.
	files, filesErr := x.Store.BlobFiles(ctx)
	after, err := x.readStore(ctx)
	if err != nil {
		x.fail(cause.CodeNotMeasured, fmt.Errorf("could not measure what was reclaimed: %w", err))
		return
	}
	x.Report.Measured = true
	x.Report.Untagged = x.untagged(after)
	x.Report.Aborted = x.aborted(after)
	remaining := after.Objects()
	x.fail(cause.CodeSnapshotterLost, x.unloaded(after, remaining))
	x.keepUnread(after, remaining)
	c := gc.NewCollector(after, x.opts.Now())
	now := c.Reach(gc.Change{})
	for dgst := range c.Awaited { // its file stays, whether a namespace knows it or not
		if _, ok := c.Awaiting(now, dgst); ok {
			remaining.Blobs[dgst] = 0
		}
	}
	switch {
	case errdefs.IsUnavailable(filesErr): // containerd's word has to do
	case filesErr != nil:
		x.fail(cause.CodeFilesNotRead, fmt.Errorf("looking for removed blobs on the disk: %w", filesErr))
	default:
		x.fail(cause.CodeFilesNotRead, x.addFiles(ctx, after, files, remaining))
	}
	x.tally(ctx, c, now, remaining)
}

// untagged lists the attempted records that the store no longer has, and those
// that the collection took without being asked to.
func (x *Execution) untagged(after *inventory.Inventory) []inventory.Record {
	var gone []inventory.Record
	going := maps.Clone(x.attempted)
	for _, d := range x.plan.Decisions {
		if d.Collected {
			going[d.Namespace] = append(going[d.Namespace], d)
		}
	}
	for _, d := range x.rewritten {
		going[d.Namespace] = append(going[d.Namespace], d)
	}
	for name, decisions := range going {
		present := make(map[string]bool)
		if ns := after.Namespace(name); ns != nil {
			for _, image := range ns.Images {
				present[image.Name] = true
			}
		}
		for _, d := range decisions {
			if !present[d.Name] {
				gone = append(gone, d.Record())
			}
		}
	}
	slices.SortFunc(gone, inventory.CompareRecords)
	return gone
}

// addFiles counts a blob that containerd has forgotten but not removed from
// the disk as remaining.
func (x *Execution) addFiles(ctx context.Context, after *inventory.Inventory, files map[digest.Digest]struct{}, remaining inventory.Objects) error {
	looker := disk.BlobLooker{Store: x.Store, Inv: after}
	var left []digest.Digest
	for dgst := range files {
		if _, ok := remaining.Blobs[dgst]; ok {
			continue
		}
		if _, ours := x.plan.Outcome.Freed.Blobs[dgst]; ours {
			now, err := looker.Look(ctx, dgst)
			if err != nil {
				return fmt.Errorf("looking for the removed blob %s again: %w", dgst, err)
			}
			if now.Gone {
				continue
			}
			if !now.Known {
				left = append(left, dgst)
			}
		}
		remaining.Blobs[dgst] = 0
	}
	// With a grace nothing is removed that there would be files of.
	x.Report.Verified = x.opts.Grace > 0 || x.trace != nil && len(x.trace.Unseen) == 0
	if len(left) > 0 {
		return stuckError(ctx, x.Store, left)
	}
	return nil
}

// tally sorts what is gone by why it went, and says where the plan and the
// store differ.
func (x *Execution) tally(ctx context.Context, c *gc.Collector, now graph.Reached, remaining inventory.Objects) {
	gone := x.baseline.Without(remaining)
	x.fail(cause.CodeFilesNotRead, x.countFiles(ctx, gone))
	x.Report.Deleted = gone.Within(x.plan.Outcome.Freed)
	garbage := gone.Within(x.plan.Outcome.Garbage)
	others := gone.Without(x.Report.Deleted).Without(garbage)
	x.Report.Reclaimed = x.Report.Deleted.Amount()
	x.Report.Garbage = garbage.Amount()
	x.fail(cause.CodeFilesNotRead, x.addLeftovers(&x.Report.Garbage))
	x.Report.Others = others.Amount()

	x.Report.Held = heldNow(c, now, x.plan.Outcome, remaining)
	if x.opts.Grace > 0 {
		return // what is still there is there as planned
	}
	x.Report.Changes = x.changes(c, now, x.plan.Outcome.Freed.Within(remaining))
}

// heldNow lists what the plan expected to stay and what it did not, as far as
// it is there, with its holder as of now.
func heldNow(c *gc.Collector, now graph.Reached, planned plan.Outcome, present inventory.Objects) []plan.Held {
	var held []plan.Held
	for _, h := range planned.Held {
		n := graph.Node{Kind: graph.KindSnapshot, Namespace: h.Namespace, Key: h.Snapshot}
		_, there := present.Snapshots[h.SnapshotID()]
		if h.Digest != "" {
			n = graph.Node{Kind: graph.KindContent, Namespace: h.Namespace, Key: h.Digest.String()}
			_, there = present.Blobs[h.Digest]
		}
		if k, ok := c.BlobKeeper(n, now); there && ok {
			held = append(held, h.By(k))
		}
	}
	return held
}

// changes explains what was expected to be removed but is still there.
func (x *Execution) changes(c *gc.Collector, now graph.Reached, missing inventory.Objects) []cause.Cause {
	var changes []cause.Cause
	for _, dgst := range missing.SortedBlobs() {
		k, held := c.BlobKeeper(graph.Node{Kind: graph.KindContent, Key: dgst.String()}, now)
		if held {
			k = k.In("") // a digest alone tells no namespace
		}
		changes = append(changes, stillThere(cause.Parts{Target: dgst}, k, held))
	}
	for _, id := range missing.SortedSnapshots() {
		var k cause.Keeper
		root, held := now.Root(id.Node())
		if held {
			k = c.Keeper(root).In(id.Namespace)
		}
		changes = append(changes, stillThere(cause.Parts{Namespace: id.Namespace, Snapshot: id.SnapshotKey.String()}, k, held))
	}
	return changes
}

// stillThere says why an object is still there that was to go.
func stillThere(p cause.Parts, k cause.Keeper, held bool) cause.Cause {
	if !held {
		return cause.Because(cause.CodeStillCollected, p)
	}
	p.Keeper = &k
	return cause.Because(cause.CodeStillHeld, p)
}

// keepUnread counts the snapshots of namespaces that could not be read as
// remaining: what is missing in a list of these may be there.
func (x *Execution) keepUnread(after *inventory.Inventory, remaining inventory.Objects) {
	for id, bytes := range x.baseline.Snapshots {
		if ns := after.Namespace(id.Namespace); ns != nil && ns.Unread != "" {
			remaining.Snapshots[id] = bytes
		}
	}
}

// unloaded counts the snapshots as remaining whose snapshotter went away during
// the run, as with a restart of containerd, or does not answer any more: nobody
// can look for them.
func (x *Execution) unloaded(after *inventory.Inventory, remaining inventory.Objects) error {
	missing := make(map[string]bool)
	silent := after.Silent()
	for id, bytes := range x.baseline.Snapshots {
		if !slices.Contains(after.Store.Snapshotters, id.Snapshotter) || slices.Contains(silent, id.Snapshotter) {
			missing[id.Snapshotter] = true
			remaining.Snapshots[id] = bytes
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("containerd lost snapshotter %q during the run, or it stopped answering, so its snapshots could not be measured", slices.Sorted(maps.Keys(missing)))
}
