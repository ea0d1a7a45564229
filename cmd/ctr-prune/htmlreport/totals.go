package htmlreport

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/ctr-prune/ctr-prune/prune"
)

// cards are the large numbers: what the store holds, and what is or was
// removed.
func (b *builder) cards() []card {
	var cards []card
	var total int64
	if u := b.page.Usage; u != nil {
		total = u.Total.TotalBytes
		label := "In the store"
		if b.page.kind() == kindReport {
			label = "Before the run"
		}
		cards = append(cards,
			card{Label: label, Bytes: total, Note: objects(u.Total)},
			card{Label: "Content", Bytes: u.Total.ContentBytes, Of: total, Note: "as pulled, compressed"},
			card{Label: "Snapshots", Bytes: u.Total.SnapshotBytes, Of: total, Note: "unpacked, and written by containers"},
		)
		if u.IngestBytes > 0 && b.page.Document == nil {
			cards = append(cards, card{Label: "Uploads", Bytes: u.IngestBytes, Note: "not finished, not in the total"})
		}
	}
	d := b.page.Document
	if d == nil {
		u := b.page.Usage
		return append(cards, card{Label: "Reclaimable", Bytes: u.Reclaimable.TotalBytes, Of: total, Tone: "reclaimable", Note: "by a prune of all unused images"})
	}
	predicted := card{Label: "Predicted", Bytes: d.Predicted.TotalBytes, Of: total, Tone: "reclaimable", Note: objects(d.Predicted)}
	if d.Kind == kindPlan {
		predicted.Label = "Would be freed"
		return append(cards, predicted)
	}
	reclaimed := card{Label: "Reclaimed", Bytes: d.Reclaimed.TotalBytes, Of: total, Tone: "done", Note: objects(d.Reclaimed)}
	if !d.Measured {
		reclaimed.Note = "not measured: the store could not be read again"
	}
	return append(cards, predicted, reclaimed)
}

// objects returns how many blobs and snapshots an amount consists of, in words.
func objects(a prune.Amount) string {
	switch {
	case a.Blobs == 0:
		return plural(a.Snapshots, "snapshot")
	case a.Snapshots == 0:
		return plural(a.Blobs, "blob")
	}
	return plural(a.Blobs, "blob") + ", " + plural(a.Snapshots, "snapshot")
}

func plural(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%s %s", thousands(n), word)
}

// thousands groups the digits of a count.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// holderKeys name the classes in the style sheet.
var holderKeys = map[prune.HolderClass]string{
	prune.HeldByImages: "images", prune.HeldByContainers: "containers", prune.HeldByGrace: "grace",
	prune.HeldByLeases: "leases", prune.HeldByIngests: "ingests", prune.HeldByLabels: "labels", prune.HeldByUnread: "labels", prune.HeldByNothing: "nothing",
}

func (b *builder) holders() []holder {
	holders := []holder{}
	if b.page.Usage == nil {
		return holders
	}
	for _, h := range b.page.Usage.Holders {
		holders = append(holders, holder{
			Label: visible(strings.TrimSuffix(h.Class.String(), " only")), Key: holderKeys[h.Class],
			Bytes: h.TotalBytes, Content: h.ContentBytes, Snapshot: h.SnapshotBytes,
		})
	}
	return holders
}

// held groups what is kept of the removed images by who holds it, the largest
// first. A blob that two namespaces have is counted once.
func (b *builder) held() []heldBy {
	groups := []heldBy{}
	if b.page.Document == nil {
		return groups
	}
	at := make(map[prune.Object]int)
	seen := make(map[prune.Held]bool)
	for _, h := range b.page.Document.Held {
		once := prune.Held{Digest: h.Digest, Snapshot: h.Snapshot, Keeper: prune.Keeper{HeldBy: h.HeldBy}}
		if seen[once] {
			continue
		}
		seen[once] = true
		i, ok := at[h.HeldBy]
		if !ok {
			i = len(groups)
			at[h.HeldBy] = i
			groups = append(groups, heldBy{Holder: visible(h.Holder)})
		}
		groups[i].Objects++
		groups[i].Bytes = add(groups[i].Bytes, h.Bytes)
	}
	slices.SortStableFunc(groups, func(a, b heldBy) int {
		return cmp.Or(cmp.Compare(b.Bytes, a.Bytes), strings.Compare(a.Holder, b.Holder))
	})
	return groups
}
