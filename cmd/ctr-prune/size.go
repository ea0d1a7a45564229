package main

import (
	"fmt"

	"github.com/ctr-prune/ctr-prune/prune"
)

// humanSize returns bytes as docker shows them: powers of 1000, four digits.
func humanSize(bytes int64) string {
	units := [...]string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	size, unit := float64(bytes), 0
	for size >= 1000 && unit < len(units)-1 {
		size /= 1000
		unit++
	}
	return fmt.Sprintf("%.4g%s", size, units[unit])
}

// boundSize is a size that may be a lower bound.
func boundSize(bytes int64, atLeast bool) string {
	if atLeast {
		return "≥" + humanSize(bytes)
	}
	return humanSize(bytes)
}

// boundsExplained is said below sizes of which some are lower bounds.
const boundsExplained = "≥: at least that much. So many images refer to each other in so many ways that not all of it was followed."

// sizes returns a total with its parts: they are measured differently.
func sizes(a prune.Amount) string {
	if a.TotalBytes == 0 {
		return humanSize(0)
	}
	return fmt.Sprintf("%s (content %s, snapshots %s)", humanSize(a.TotalBytes), humanSize(a.ContentBytes), humanSize(a.SnapshotBytes))
}

// objects counts what an amount is made of.
func objects(blobs, snapshots int) string {
	switch {
	case blobs == 0:
		return plural(snapshots, "snapshot")
	case snapshots == 0:
		return plural(blobs, "blob")
	}
	return plural(blobs, "blob") + ", " + plural(snapshots, "snapshot")
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}
