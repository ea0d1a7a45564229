package htmlreport

import (
	"slices"

	"github.com/ctr-prune/ctr-prune/prune"
)

// The states of an object on the page, numbered as its script numbers them. An object
// that stays is in use, or kept although nobody uses it.
const (
	stateUsed = iota
	stateKept
	stateHeld
	stateGoes
	stateGarbage
	stateElsewhere
)

// kinds are numbered as the page's script numbers them.
var kinds = [...]string{"content", "index", "manifest", "config", "layer", "snapshot"}

func kindNumber(kind string) int { return max(slices.Index(kinds[:], kind), 0) }

// stateOf returns the state of an object; unused is what its images have in common,
// 1 if none of them is in use. In a report, what was to be removed but still exists is
// held.
func (f *forest) stateOf(o prune.ObjectUsage, unused int) int {
	switch {
	case o.State == prune.StateReclaimable && f.b.survives(o):
		return stateHeld
	case o.State == prune.StateReclaimable:
		return stateGoes
	case unused == none && !f.listed(o):
		return stateElsewhere
	case o.Class == prune.HeldByContainers || unused == number(false) || unused == mixed:
		return stateUsed
	case o.State == prune.StateGarbage:
		return stateGarbage
	case o.State == prune.StateHeld && o.Class != prune.HeldByImages || o.State == prune.StateHeld && unused == number(true):
		return stateHeld
	default:
		return stateKept
	}
}

// survives says that an object was to be removed, but still exists.
func (b *builder) survives(o prune.ObjectUsage) bool {
	key := objectKey{digest: o.Digest}
	if o.Snapshot != "" {
		key = objectKey{space: o.Namespaces[0], snapshot: o.Snapshot}
	}
	return b.measured && !b.freed[key]
}

// survived is why.
func (b *builder) survived() string {
	if b.page.Document.Grace != nil {
		return "the grace of this run, which can be undone"
	}
	return "was expected to be removed but is still there"
}

// inUse tells of each image of Usage whether somebody uses it.
func (b *builder) inUse() []bool {
	used := make([]bool, len(b.page.Usage.Images))
	for i, img := range b.page.Usage.Images {
		used[i] = isUse(img.Cause)
	}
	if d := b.page.Document; d != nil {
		for _, record := range d.Images {
			if i, ok := b.images[imageKey{record.Namespace, record.Target}]; ok && isUse(record.Cause) {
				used[i] = true
			}
		}
	}
	return used
}

// isUse says that a reason is a use, also one of another name of the image.
func isUse(why prune.Cause) bool {
	for range 3 { // a reason has few behind it
		switch why.ReasonCode {
		case "in-use", "stands-in", "stand-in":
			return true
		}
		if why.ReasonParts == nil || why.ReasonParts.Because == nil {
			return false
		}
		why = *why.ReasonParts.Because
	}
	return false
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
