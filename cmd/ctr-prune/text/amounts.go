package text

import (
	"fmt"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// boundsExplained is shown below sizes if some are lower bounds.
const boundsExplained = "≥: at least that much. Images refer to each other in too many ways to follow them all, or snapshots could not be measured."

// Sizes returns a total with its parts: they are measured differently.
func Sizes(a prune.Amount) string {
	if a.TotalBytes == 0 {
		return total(a)
	}
	return fmt.Sprintf("%s (content %s, snapshots %s)", total(a), terminal.Size(a.ContentBytes), onDisk(a))
}

// total is all of an amount.
func total(a prune.Amount) string { return terminal.SizeAtLeast(a.TotalBytes, a.AtLeast) }

// onDisk is what the snapshots of an amount take.
func onDisk(a prune.Amount) string { return terminal.SizeAtLeast(a.SnapshotBytes, a.AtLeast) }

// objects returns how many blobs and snapshots an amount consists of, in words.
func objects(blobs, snapshots int) string {
	switch {
	case blobs == 0 && snapshots > 0:
		return terminal.Count(snapshots, "snapshot")
	case snapshots == 0 && blobs > 0:
		return terminal.Count(blobs, "blob")
	}
	return terminal.Count(blobs, "blob") + ", " + terminal.Count(snapshots, "snapshot")
}

// Amount formats an amount with its parts.
func Amount(a prune.Amount) string {
	if a.Blobs+a.Snapshots == 0 {
		return "nothing"
	}
	return Sizes(a) + ": " + objects(a.Blobs, a.Snapshots)
}
