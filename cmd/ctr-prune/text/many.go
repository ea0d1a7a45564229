package text

import (
	"cmp"
	"slices"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// mostLines is how many names or objects are listed one by one after a run.
const mostLines = 100

// tooMany says whether that many lines are summed up.
func (v document) tooMany(lines int) bool { return !v.how.Verbose && lines > mostLines }

// untagged sums up the names that were removed, and shows the images that free most.
func (v document) untagged(doc prune.Document) {
	removed := make(map[prune.Record]bool, len(doc.Untagged))
	for _, r := range doc.Untagged {
		removed[r] = true
	}
	images, _ := imagesOf(slices.DeleteFunc(slices.Clone(doc.Images), func(i prune.ImageDocument) bool { return !removed[i.Record] }))
	v.out.Sentence("Untagged: %s of %s; --verbose lists them", terminal.Count(len(doc.Untagged), "name"), terminal.Count(len(images), "image"))
	standIns := 0
	for _, i := range doc.Images {
		if i.Action == prune.StandIn && removed[i.Record] {
			standIns++
		}
	}
	if standIns > 0 {
		v.out.Sentence("Kept without a name: %s in use", terminal.Count(standIns, "image"))
	}
	slices.SortFunc(images, ordering(cmp.Or(v.how.Sort, "frees")))
	shown := min(cmp.Or(v.how.Top, mostLargest), len(images))
	v.goingTable(doc, images[:shown], images[shown:])
}

// deleted lists the blobs and snapshots that are gone.
func (v document) deleted(doc prune.Document) {
	if v.tooMany(len(doc.Deleted)) {
		blobs, snapshots := 0, 0
		for _, gone := range doc.Deleted {
			if gone.Digest != "" {
				blobs++
			} else {
				snapshots++
			}
		}
		v.out.Sentence("Deleted: %s; --verbose lists them", objects(blobs, snapshots))
		return
	}
	for _, gone := range doc.Deleted {
		if gone.Digest != "" {
			v.out.Line("Deleted: %s", gone.Digest)
		} else {
			v.out.Line("Deleted: %s", inNamespace(doc, gone.Namespace, "snapshot "+gone.Snapshot))
		}
	}
}
