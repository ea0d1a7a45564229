package inventory

import (
	"slices"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/graph"
)

// Notes tell which snapshots could not be measured, in one note.
func (s Sizes) Notes() []cause.Cause {
	var unmeasured []SnapshotID
	for id, bytes := range s {
		if bytes == Unmeasured {
			unmeasured = append(unmeasured, id)
		}
	}
	if len(unmeasured) == 0 {
		return nil
	}
	slices.SortFunc(unmeasured, CompareSnapshotIDs)
	p := cause.Parts{Snapshots: len(unmeasured), Objects: make([]graph.Object, len(unmeasured))}
	for i, id := range unmeasured {
		p.Objects[i] = id.Node().Object()
	}
	return []cause.Cause{cause.Because(cause.CodeUnmeasured, p)}
}

// Inodes are those that each snapshot takes on the disk, where that is known.
type Inodes map[SnapshotID]int64
