package htmlreport

import (
	"slices"

	"github.com/ctr-prune/ctr-prune/prune"
)

// states and kinds are numbered as the page's script numbers them.
var (
	states = [...]prune.ObjectState{
		prune.StateUnique, prune.StateShared, prune.StateHeld, prune.StateReclaimable, prune.StateGarbage,
	}
	kinds = [...]prune.ObjectKind{
		prune.KindContent, prune.KindIndex, prune.KindManifest, prune.KindConfig, prune.KindLayer, prune.KindSnapshot,
	}
)

func stateNumber(s prune.ObjectState) int { return max(slices.Index(states[:], s), 0) }
func kindNumber(k prune.ObjectKind) int   { return max(slices.Index(kinds[:], k), 0) }

// state returns the number of an object's state. In a report, what was to go
// and is still there is held; gone then says so.
func (b *builder) state(o prune.ObjectUsage) (number int, gone string) {
	if o.State != prune.StateReclaimable || !b.measured {
		return stateNumber(o.State), ""
	}
	key := objectKey{digest: o.Digest}
	if o.Snapshot != "" {
		key = objectKey{space: o.Namespaces[0], snapshot: o.Snapshot}
	}
	if b.freed[key] {
		return stateNumber(o.State), ""
	}
	if b.page.Document.Grace != nil {
		return stateNumber(prune.StateHeld), "the grace of this run, which can be undone"
	}
	return stateNumber(prune.StateHeld), "was to go and is still there"
}
