package prune

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
)

// reclaimed is what of an earlier inventory is gone in a later one of the same
// store, apart from the garbage that nothing held already at the time now. A
// blob counts only if its file is gone as well, where the files can be seen.
func reclaimed(ctx context.Context, store Store, before, after *Inventory, now time.Time) (freed, garbage Amount, err error) {
	c := newCollector(before, now)
	return c.reclaimed(ctx, store, before, after, c.reach(change{}))
}

// reclaimed is the same with what was held given.
func (c *collector) reclaimed(ctx context.Context, store Store, before, after *Inventory, held reached) (freed, garbage Amount, err error) {
	remaining := after.objects()
	files, err := store.BlobFiles(ctx)
	if err != nil && !errdefs.IsUnavailable(err) {
		return Amount{}, Amount{}, fmt.Errorf("looking for removed blobs on the disk: %w", err)
	}
	for dgst := range files {
		remaining.blobs[dgst] = 0
	}
	taken, unheld := c.split(before.objects().without(remaining), held, reached{})
	return taken.amount(), unheld.amount(), nil
}

// Going is an image that a plan removes, by one of its names.
type Going struct {
	Namespace string        `json:"namespace"`
	Name      string        `json:"name"`
	Target    digest.Digest `json:"target"`
	// Bytes are those of what goes with it. What it shares with others that
	// go counts for each.
	Bytes int64 `json:"bytes"`
	// AtLeast says that Bytes is a lower bound: images refer to each other in
	// more ways than are followed.
	AtLeast bool `json:"atLeast,omitempty"`
}

// Going lists the images that the plan removes, in no useful order.
func (p *Plan) Going() []Going {
	c := p.modelled().collector
	var targets []node
	var list []Going
	seen := make(map[imageKey]bool)
	for _, d := range p.decisions {
		key := imageKey{d.Namespace, d.Target.Digest}
		if d.Action != Remove || seen[key] {
			continue
		}
		seen[key] = true
		list = append(list, Going{Namespace: d.Namespace, Name: d.Name, Target: d.Target.Digest})
		targets = append(targets, node{kind: kindContent, ns: d.Namespace, key: d.Target.Digest.String()})
	}
	totals := c.totals(c.weights(p.freed), targets)
	for i := range list {
		sum := totals[targets[i]]
		list[i].Bytes, list[i].AtLeast = sum.TotalBytes, sum.bound
	}
	return list
}

// freed returns the size of what the plan frees.
func (p *Plan) freed(n node) (bytes int64, ok bool) {
	if n.kind == kindContent {
		bytes, ok = p.outcome.freed.blobs[digest.Digest(n.key)]
	} else {
		bytes, ok = p.outcome.freed.snapshots[n.snapshot()]
	}
	return bytes, ok
}
