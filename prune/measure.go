package prune

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
)

// measure reads the store again and fills the report with what is gone.
func (x *execution) measure(ctx context.Context) {
	newMeter(x.opts.Progress, StageMeasure).add(0)
	// Files first: a blob that is pulled again meanwhile is then known by the
	// time that the store is read.
	files, filesErr := x.store.BlobFiles(ctx)
	after, err := x.glance(ctx)
	if err != nil {
		x.fail(fmt.Errorf("what was reclaimed could not be measured: %w", err))
		return
	}
	x.report.Measured = true
	x.report.Untagged = x.untagged(after)
	x.report.Aborted = x.aborted(after)
	remaining := after.objects()
	x.fail(x.unloaded(after.Store.Snapshotters, remaining))
	c := newCollector(after, x.opts.Now())
	now := c.reach(change{})
	for dgst := range c.awaited { // its file stays, whether a namespace knows it or not
		if _, ok := c.awaiting(now, dgst); ok {
			remaining.blobs[dgst] = 0
		}
	}
	switch {
	case errdefs.IsUnavailable(filesErr): // containerd's word has to do
	case filesErr != nil:
		x.fail(fmt.Errorf("looking for removed blobs on the disk: %w", filesErr))
	default:
		x.fail(x.addFiles(ctx, after, files, remaining))
	}
	x.tally(c, now, remaining)
}

// untagged lists the attempted records that the store no longer has, and those
// that the collection took without being asked to.
func (x *execution) untagged(after *Inventory) []Record {
	var gone []Record
	going := maps.Clone(x.attempted)
	for _, d := range x.plan.decisions {
		if d.collected {
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
				gone = append(gone, d.record())
			}
		}
	}
	slices.SortFunc(gone, compareRecords)
	return gone
}

func compareRecords(a, b Record) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
}

// addFiles counts a blob that containerd has forgotten but not removed from
// the disk as remaining.
func (x *execution) addFiles(ctx context.Context, after *Inventory, files map[digest.Digest]struct{}, remaining objects) error {
	x.report.Verified = true
	looker := fileLooker{store: x.store, inv: after}
	var left []digest.Digest
	for dgst := range files {
		if _, ok := remaining.blobs[dgst]; ok {
			continue
		}
		if _, ours := x.plan.outcome.freed.blobs[dgst]; ours {
			now, err := looker.look(ctx, dgst)
			if err != nil {
				return fmt.Errorf("looking for the removed blob %s again: %w", dgst, err)
			}
			if now.gone {
				continue
			}
			if !now.known {
				left = append(left, dgst)
			}
		}
		remaining.blobs[dgst] = 0
	}
	if len(left) > 0 {
		return stuckError(ctx, x.store, left)
	}
	return nil
}

// tally sorts what is gone by why it went, and says where the plan and the
// store differ.
func (x *execution) tally(c *collector, now reached, remaining objects) {
	gone := x.baseline.without(remaining)
	x.report.deleted = gone.within(x.plan.outcome.freed)
	garbage := gone.within(x.plan.outcome.garbage)
	others := gone.without(x.report.deleted).without(garbage)
	x.report.Reclaimed = x.report.deleted.amount()
	x.report.Garbage = garbage.amount()
	x.report.Others = others.amount()

	x.report.Held = heldNow(c, now, x.plan.outcome, remaining)
	if x.opts.Grace > 0 {
		return // what is still there is there as planned
	}
	x.report.Changes = x.changes(c, now, x.plan.outcome.freed.within(remaining))
}

// heldNow lists what the plan expected to stay and what it did not, as far as
// it is there, with its holder as of now.
func heldNow(c *collector, now reached, planned outcome, present objects) []Held {
	var held []Held
	for _, h := range planned.held {
		n := node{kind: kindSnapshot, ns: h.Namespace, key: h.Snapshot}
		_, there := present.snapshots[h.snapshot()]
		if h.Digest != "" {
			n = node{kind: kindContent, ns: h.Namespace, key: h.Digest.String()}
			_, there = present.blobs[h.Digest]
		}
		if k, ok := c.blobKeeper(n, now); there && ok {
			held = append(held, h.by(k))
		}
	}
	return held
}

// changes explains what was expected to go and is still there.
func (x *execution) changes(c *collector, now reached, missing objects) []string {
	var texts []string
	for _, dgst := range missing.sortedBlobs() {
		holder := "nothing holds it any more; a later collection will take it"
		if k, ok := c.blobKeeper(node{kind: kindContent, key: dgst.String()}, now); ok {
			holder = "held by " + k.in("").Holder // a digest alone tells no namespace
		}
		texts = append(texts, fmt.Sprintf("%s was expected to go and is still there: %s", dgst, holder))
	}
	for _, id := range missing.sortedSnapshots() {
		holder := "nothing holds it any more; a later collection will take it"
		if root, ok := now.root(id.node()); ok {
			holder = "held by " + c.keeper(root).in(id.Namespace).Holder
		}
		texts = append(texts, fmt.Sprintf("snapshot %s in namespace %q was expected to go and is still there: %s", id.SnapshotKey, id.Namespace, holder))
	}
	return texts
}
