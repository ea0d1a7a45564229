package text

import (
	"fmt"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/terminal"
	"github.com/ctr-prune/ctr-prune/prune"
)

// boundsExplained is shown below sizes if some are lower bounds.
const boundsExplained = "≥: at least that much. The images refer to each other in too many ways to follow them all."

// Sizes returns a total with its parts: they are measured differently.
func Sizes(a prune.Amount) string {
	if a.TotalBytes == 0 {
		return terminal.Size(0)
	}
	return fmt.Sprintf("%s (content %s, snapshots %s)", terminal.Size(a.TotalBytes), terminal.Size(a.ContentBytes), terminal.Size(a.SnapshotBytes))
}

// objects returns how many blobs and snapshots an amount consists of, in words.
func objects(blobs, snapshots int) string {
	switch {
	case blobs == 0:
		return terminal.Count(snapshots, "snapshot")
	case snapshots == 0:
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
