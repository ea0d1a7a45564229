package prune

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/opencontainers/go-digest"
)

// Reclaimed is what of an earlier inventory is gone in a later one of the same
// store, apart from the garbage that nothing held already at the time now. A
// blob counts only if its file is gone as well, where the files can be seen.
func Reclaimed(ctx context.Context, store Store, before, after *Inventory, now time.Time) (freed, garbage Amount, err error) {
	remaining := after.objects()
	files, err := store.BlobFiles(ctx)
	if err != nil && !errdefs.IsUnavailable(err) {
		return Amount{}, Amount{}, fmt.Errorf("looking for removed blobs on the disk: %w", err)
	}
	for dgst := range files {
		remaining.blobs[dgst] = 0
	}
	gone := before.objects().without(remaining)
	c := newCollector(before, now)
	taken, unheld := c.split(gone, c.reach(change{}), reached{})
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
}

// Going lists the images that the plan removes, in no useful order.
func (p *Plan) Going() []Going {
	walk := p.modelled().collector.walk()
	seen := make(map[imageKey]bool)
	var list []Going
	for _, d := range p.decisions {
		key := imageKey{d.Namespace, d.Target.Digest}
		if d.Action != Remove || seen[key] {
			continue
		}
		seen[key] = true
		g := Going{Namespace: d.Namespace, Name: d.Name, Target: d.Target.Digest}
		walk.below(node{kind: kindContent, ns: d.Namespace, key: d.Target.Digest.String()}, func(_ nodeID, n node) {
			switch n.kind {
			case kindContent:
				g.Bytes = saturate(g.Bytes, p.outcome.freed.blobs[digest.Digest(n.key)])
			case kindSnapshot:
				g.Bytes = saturate(g.Bytes, p.outcome.freed.snapshots[snapshotID{n.ns, parseSnapshotKey(n.key)}])
			}
		})
		list = append(list, g)
	}
	return list
}
