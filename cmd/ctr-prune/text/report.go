package text

import (
	"time"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// report shows what a run did, in docker's terms where docker has them.
func (v document) report(doc prune.Document) {
	for _, r := range doc.Recovered {
		recoveredText(v.out, r)
	}
	v.records(doc)
	v.deleted(doc)
	for _, u := range doc.Aborted {
		v.out.Line("Aborted: %s", v.upload(doc, u))
	}
	v.dropped(doc)
	v.held(doc)
	v.rest(doc)
	v.total(doc)
}

func recoveredText(out *terminal.Printer, r prune.Recovered) {
	out.Sentence("Finished the interrupted run of %s from %s: %s removed, %d restored.",
		r.Owner, out.Time(r.Started), terminal.Count(len(r.Untagged), "image record"), len(r.Restored))
}

// records shows what happened to the names.
func (v document) records(doc prune.Document) {
	if len(doc.Untagged)+len(doc.Skipped)+len(doc.Recovered) == 0 && doc.Counts.Remove+doc.Counts.StandIn == 0 {
		v.nothing(doc)
		v.filtered(doc)
	}
	standIns := make(map[[2]string]string)
	for _, image := range doc.Images {
		if image.Action == prune.StandIn {
			standIns[[2]string{image.Namespace, image.Name}] = image.StandIn
		}
	}
	untagged := doc.Untagged
	if v.tooMany(len(untagged)) {
		v.untagged(doc)
		untagged = nil
	}
	for _, r := range untagged {
		v.out.Line("Untagged: %s", inNamespace(doc, r.Namespace, v.out.Name(r.Name)))
		if standIn := standIns[[2]string{r.Namespace, r.Name}]; standIn != "" {
			v.out.Line("Kept as: %s", inNamespace(doc, r.Namespace, standIn))
		}
	}
	for _, s := range doc.Skipped {
		v.out.Sentence("Skipped: %s: %s", inNamespace(doc, s.Namespace, v.out.Name(s.Name)), v.out.Prose(s.Reason))
	}
	for _, r := range doc.Restored {
		v.out.Sentence("Restored: %s: %s", inNamespace(doc, r.Namespace, v.out.Name(r.Name)), v.out.Prose(r.Reason))
	}
}

// noticed is how long a collection takes that users notice.
const noticed = time.Second

// rest shows what else was removed, and what differs from the prediction.
func (v document) rest(doc prune.Document) {
	if n := doc.Garbage.Blobs + doc.Garbage.Snapshots; n > 0 {
		v.out.Sentence("Existing garbage collected: %s, %s", objects(doc.Garbage.Blobs, doc.Garbage.Snapshots), total(doc.Garbage))
	}
	if n := doc.Others.Blobs + doc.Others.Snapshots; n > 0 {
		v.out.Sentence("Removed by other clients meanwhile: %s, %s", objects(doc.Others.Blobs, doc.Others.Snapshots), total(doc.Others))
	}
	if doc.Measured && doc.Reclaimed != doc.Predicted && len(doc.Changes) > 0 {
		v.out.Sentence("Predicted: %s", Sizes(doc.Predicted))
	}
	for _, change := range doc.Changes {
		v.out.Sentence("Changed: %s", v.out.Prose(change.Reason))
	}
	if doc.Stall >= noticed.Seconds() && doc.Store.Kind == prune.StoreDaemon {
		v.out.Sentence("Longest wait for a garbage collection: %s, in which containers could not be created", terminal.Lasted(time.Duration(doc.Stall*float64(time.Second)).Round(100*time.Millisecond)))
	}
	v.notes(doc)
}

func (v document) total(doc prune.Document) {
	if doc.Grace != nil && len(doc.Untagged) > 0 {
		v.out.Sentence("Kept until %s: undo with `ctr-prune undo %s`; %s are freed after that",
			v.out.Time(doc.Grace.Until), doc.Grace.Run, terminal.Size(doc.Predicted.TotalBytes))
	}
	if !doc.Measured {
		v.out.Sentence("Total reclaimed space: unknown, because the store could not be read after the run")
		return
	}
	v.out.Sentence("Total reclaimed space: %s", Sizes(doc.Reclaimed))
}
