package plan

import (
	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/filesystem"
)

// Relief is what a plan frees of what has to be freed. Only package pressure makes
// one.
type Relief struct {
	// Disks are the file systems, each with what has to go there and what does.
	Disks []Disk `json:"disks"`
	// NeedBytes is what has to be freed in all, and FreesBytes what is.
	NeedBytes  int64 `json:"needBytes"`
	FreesBytes int64 `json:"freesBytes"`
	// NeedImages is how many images have to go, and FreesImages how many do.
	NeedImages  int `json:"needImages"`
	FreesImages int `json:"freesImages"`
	// Reached says that all of that is freed.
	Reached bool `json:"reached"`
	// Collects says that the garbage that there is already has to go.
	Collects bool `json:"-"`
	// Shortfall says what is missing and who holds what is left, nil if nothing is.
	Shortfall *cause.Cause `json:"shortfall"`
	// Dropped are the runs whose grace has to end first, the oldest first.
	Dropped []string `json:"dropped"`
	// Order is the place of each record in the order in which images go.
	Order map[[2]string]int `json:"-"`
}

// Disk is a file system with what a plan frees there.
type Disk struct {
	filesystem.FileSystem
	// UsedBytes is what the store uses there.
	UsedBytes int64 `json:"usedBytes"`
	// FreesBytes and FreesInodes are what the plan frees there, in whole blocks.
	FreesBytes  int64 `json:"freesBytes"`
	FreesInodes int64 `json:"freesInodes"`
	Reached     bool  `json:"reached"`
}
