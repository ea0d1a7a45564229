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
	kinds = [...]string{"content", "index", "manifest", "config", "layer", "snapshot"}
)

func stateNumber(s prune.ObjectState) int { return max(slices.Index(states[:], s), 0) }
func kindNumber(kind string) int          { return max(slices.Index(kinds[:], kind), 0) }

// state returns the number of an object's state. In a report, what was to be
// removed but still exists is held, and why says by what.
func (b *builder) state(o prune.ObjectUsage) (number int, why string) {
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
	return stateNumber(prune.StateHeld), "was expected to be removed but is still there"
}

// actionSkipped is the action of a record that was to be removed but was not.
const actionSkipped = "skipped"

type recordKey struct{ space, name string }

// learn reads from a report which records were removed, and why others were
// not.
func (b *builder) learn(d *prune.Document) {
	for _, f := range d.Deleted {
		b.freed[objectKey{f.Digest, f.Namespace, f.Snapshot}] = true
	}
	for _, r := range d.Untagged {
		b.removed[recordKey{r.Namespace, r.Name}] = true
	}
	for _, s := range d.Skipped {
		b.spared[recordKey{s.Namespace, s.Name}] = s.Reason
	}
	for _, r := range d.Restored {
		b.spared[recordKey{r.Namespace, r.Name}] = "restored: " + r.Reason
	}
}

// done returns what was done with a record, and why: in a report, a record that
// was to be removed may have been kept.
func (b *builder) done(d prune.ImageDocument) (action, reason string) {
	key := recordKey{d.Namespace, d.Name}
	if d.Action == prune.Keep || !b.measured || b.removed[key] {
		return string(d.Action), d.Reason
	}
	if why, ok := b.spared[key]; ok {
		return actionSkipped, why
	}
	return actionSkipped, "is still there after the run"
}
