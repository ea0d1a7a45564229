package text

import (
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// plan shows what would happen to every record.
func (v document) plan(doc prune.Document) {
	doc = named(doc)
	if len(doc.Images) > 0 {
		v.decisions(doc)
		v.out.Line("")
	}
	if doc.Counts.Remove+doc.Counts.StandIn == 0 {
		v.nothing(doc)
	}
	v.foresee(doc)
}

// foresee summarises a plan.
func (v document) foresee(doc prune.Document) {
	v.predicted(doc)
	v.relief(doc.Relief)
	v.filtered(doc)
	if doc.Counts.StandIn > 0 {
		v.out.Sentence("Would create %s for images in use whose last name is removed.", terminal.Count(doc.Counts.StandIn, "stand-in"))
	}
	if doc.Grace != nil {
		v.out.Sentence("It could be undone until %s; the space is freed after that.", v.out.Time(doc.Grace.Until))
	}
	v.held(doc)
	v.garbage(doc)
	v.plannedUploads(doc)
	v.dropped(doc)
	for _, ns := range doc.Unfinished {
		v.out.Sentence("Would first finish the interrupted run in namespace %q.", ns)
	}
	v.notes(doc)
}

// predicted says how much a plan removes and frees. If it removes no record,
// [document.nothing] has said so already.
func (v document) predicted(doc prune.Document) {
	removed := doc.Counts.Remove + doc.Counts.StandIn
	switch {
	case removed > 0:
		v.out.Sentence("Would remove %d of %s and reclaim %s.", removed, terminal.Count(doc.Counts.Images, "image record"), Sizes(doc.Predicted))
	case doc.Predicted.TotalBytes > 0:
		v.out.Sentence("Would reclaim %s.", Sizes(doc.Predicted))
	}
	if doc.RestBytes > 0 {
		v.out.Sentence("Of that, %s is of no image that goes: interrupted runs, graces that end or uploads hold it.", terminal.Size(doc.RestBytes))
	}
}

// garbage shows what is unreferenced already, and whether a run would collect
// it.
func (v document) garbage(doc prune.Document) {
	if doc.Garbage.Blobs+doc.Garbage.Snapshots == 0 {
		return
	}
	text := objects(doc.Garbage.Blobs, doc.Garbage.Snapshots) + ", " + total(doc.Garbage)
	switch {
	case !collects(doc):
		v.out.Sentence("Existing garbage: %s; `ctr-prune check --repair` collects it.", text)
	case !keeps(doc):
		v.out.Sentence("Existing garbage, collected as well: %s.", text)
	case doc.Store.Kind == prune.StoreRoot:
		v.out.Sentence("Existing garbage: %s; with a grace period the run collects nothing, so it stays until containerd is started, or until `ctr-prune check --repair`.", text)
	default:
		// Any removal of a record makes containerd schedule a collection.
		v.out.Sentence("Existing garbage: %s; with a grace period the run collects nothing, but containerd itself does so soon after it.", text)
	}
}

// keeps reports whether a grace period keeps what executing a plan removes, so
// that the run asks for no collection.
func keeps(doc prune.Document) bool {
	return doc.Grace != nil && doc.Counts.Remove+doc.Counts.StandIn > 0
}

// collects reports whether executing a plan ends with a collection: not if it
// does nothing, except with a stopped store, which nothing else collects.
func collects(doc prune.Document) bool {
	return doc.Counts.Remove+doc.Counts.StandIn+len(doc.Unfinished) > 0 ||
		slices.ContainsFunc(doc.Uploads, func(u prune.Upload) bool { return u.Action != prune.Keep }) ||
		doc.Store.Kind == prune.StoreRoot && len(doc.Policy.Namespaces) > 0
}

// dropped shows the records of a plan file that are skipped.
func (v document) dropped(doc prune.Document) {
	for _, s := range doc.Dropped {
		v.out.Sentence("Left alone: %s: %s", inNamespace(doc, s.Namespace, v.out.Name(s.Name)), v.out.Prose(s.Reason))
	}
}

func (v document) plannedUploads(doc prune.Document) {
	for _, u := range doc.Uploads {
		if u.Action != prune.Keep {
			v.out.Sentence("Would abort: %s: %s", v.upload(doc, u), u.Reason)
		}
	}
}

func (v document) upload(doc prune.Document, u prune.Upload) string {
	return inNamespace(doc, u.Namespace, "upload "+v.out.Name(u.Ref)) + ", " + terminal.Size(u.Bytes)
}

func (v document) notes(doc prune.Document) {
	for _, note := range doc.Notes {
		v.out.Sentence("Note: %s", v.out.Prose(note.Reason))
	}
}

// reason returns the reason and the details of a decision.
func reason(image prune.ImageDocument) string {
	texts := []string{image.Reason}
	for _, detail := range image.Details {
		texts = append(texts, detail.Reason)
	}
	return strings.Join(texts, "; ")
}

// shortDigest returns the digits of a digest that docker shows. Text that is
// not a digest is returned unchanged.
func shortDigest(d digest.Digest) string {
	const digits = 12
	if d.Validate() != nil {
		return string(d)
	}
	return d.Encoded()[:digits]
}

// Picked shows a plan for images that were picked by hand: only these.
func Picked(out *terminal.Printer, doc prune.Document) {
	doc.Images = slices.DeleteFunc(slices.Clone(doc.Images), func(i prune.ImageDocument) bool { return i.Action == prune.Keep })
	Document(out, doc, How{FromFile: true})
}
