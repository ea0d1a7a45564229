package plan

import (
	"maps"
	"slices"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
	"github.com/ctr-prune/ctr-prune/prune/internal/rules"
)

// ToMeasure lists the snapshots whose sizes the plan tells, in order: those of its
// images, or only of those that go, and what is freed or garbage.
func (p *Plan) ToMeasure(m *Model, onlyGoing bool) []inventory.SnapshotID {
	wanted := make([]inventory.SnapshotID, 0, len(p.Outcome.Freed.Snapshots)+len(p.Outcome.Garbage.Snapshots)+len(p.Outcome.Held))
	wanted = slices.AppendSeq(wanted, maps.Keys(p.Outcome.Freed.Snapshots))
	wanted = slices.AppendSeq(wanted, maps.Keys(p.Outcome.Garbage.Snapshots))
	for _, held := range p.Outcome.Held {
		if held.Snapshot != "" {
			wanted = append(wanted, held.SnapshotID())
		}
	}
	wanted = append(wanted, m.Collector.SnapshotsBelow(p.targets(func(d *rules.Decision) bool { return d.Gone() || !onlyGoing }))...)
	slices.SortFunc(wanted, inventory.CompareSnapshotIDs)
	return slices.Compact(wanted)
}

// targets are those of records of the plan.
func (p *Plan) targets(which func(*rules.Decision) bool) []graph.Node {
	targets := make([]graph.Node, 0, len(p.Decisions))
	for i := range p.Decisions {
		if d := &p.Decisions[i]; which(d) {
			targets = append(targets, graph.ContentNode(d.Namespace, d.Target.Digest))
		}
	}
	return targets
}

// WithSizes returns the same plan with the sizes of snapshots.
func (p *Plan) WithSizes(sizes inventory.Sizes) *Plan {
	sized := *p
	sized.Inventory = p.Inventory.WithSizes(sizes)
	sized.Notes = append(slices.Clone(p.Notes), sizes.Notes()...)
	sized.Outcome.Freed, sized.Outcome.Garbage = p.Outcome.Freed.Sized(sizes), p.Outcome.Garbage.Sized(sizes)
	sized.Outcome.Held = append([]Held(nil), p.Outcome.Held...)
	for i, held := range sized.Outcome.Held {
		if held.Snapshot != "" {
			sized.Outcome.Held[i].Bytes = inventory.Known(sizes[held.SnapshotID()])
		}
	}
	return &sized
}
