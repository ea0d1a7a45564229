package htmlreport

import "github.com/ctr-prune/ctr-prune/prune"

// actionSkipped is the action of a record that was to go and did not.
const actionSkipped = "skipped"

type recordKey struct{ space, name string }

// learn reads from a report which records are gone, and why others are not.
func (b *builder) learn(d *prune.Document) {
	for _, f := range d.Freed {
		b.freed[objectKey{f.Digest, f.Namespace, f.Snapshot}] = true
	}
	for _, r := range d.Removed {
		b.removed[recordKey{r.Namespace, r.Name}] = true
	}
	for _, s := range d.Skipped {
		b.spared[recordKey{s.Namespace, s.Name}] = s.Reason
	}
	for _, r := range d.Restored {
		b.spared[recordKey{r.Namespace, r.Name}] = "put back: " + r.Reason
	}
}

// done returns what was done with a record, and why: in a report, what was to
// go may have stayed.
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
