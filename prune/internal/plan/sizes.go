package plan

import (
	"slices"

	"github.com/ctr-prune/ctr-prune/prune/internal/inventory"
)

// ToMeasure lists the snapshots whose sizes the plan tells.
func (p *Plan) ToMeasure() []inventory.SnapshotID {
	wanted := inventory.NewObjects()
	for _, part := range []inventory.Objects{p.Outcome.Freed, p.Outcome.Garbage} {
		for id := range part.Snapshots {
			wanted.Snapshots[id] = 0
		}
	}
	for _, held := range p.Outcome.Held {
		if held.Snapshot != "" {
			wanted.Snapshots[held.SnapshotID()] = 0
		}
	}
	return wanted.SortedSnapshots()
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
