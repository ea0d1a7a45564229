package plan

import (
	"maps"
	"slices"

	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// ToMeasure lists the snapshots whose sizes the plan tells, in order.
func (p *Plan) ToMeasure() []inventory.SnapshotID {
	wanted := make([]inventory.SnapshotID, 0, len(p.Outcome.Freed.Snapshots)+len(p.Outcome.Garbage.Snapshots)+len(p.Outcome.Held))
	wanted = slices.AppendSeq(wanted, maps.Keys(p.Outcome.Freed.Snapshots))
	wanted = slices.AppendSeq(wanted, maps.Keys(p.Outcome.Garbage.Snapshots))
	for _, held := range p.Outcome.Held {
		if held.Snapshot != "" {
			wanted = append(wanted, held.SnapshotID())
		}
	}
	slices.SortFunc(wanted, inventory.CompareSnapshotIDs)
	return slices.Compact(wanted)
}

// OfImages is [Plan.ToMeasure] with the snapshots of all images of the plan.
func (p *Plan) OfImages(m *Model) []inventory.SnapshotID {
	targets := make([]graph.Node, 0, len(p.Decisions))
	for i := range p.Decisions {
		targets = append(targets, graph.ContentNode(p.Decisions[i].Namespace, p.Decisions[i].Target.Digest))
	}
	wanted := append(p.ToMeasure(), m.Collector.SnapshotsBelow(targets)...)
	slices.SortFunc(wanted, inventory.CompareSnapshotIDs)
	return slices.Compact(wanted)
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
