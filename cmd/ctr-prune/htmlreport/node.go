package htmlreport

import (
	"encoding/json"
	"time"
)

// Node is how a resident of a node is, at the time of an answer. The page has it beside
// what was read of the store, which may be older.
type Node struct {
	// Time is that of the answer, Read when the store was read, zero if it was not.
	Time time.Time `json:"time"`
	Read time.Time `json:"read,omitzero"`
	// Why says what the resident does, or why it does nothing.
	Why     string    `json:"why"`
	DryRun  bool      `json:"dryRun,omitempty"`
	NextRun time.Time `json:"nextRun,omitzero"`
	// Problems are what keeps it from working, or the page from being current.
	Problems []string  `json:"problems,omitempty"`
	Disks    []Disk    `json:"disks"`
	Runs     []NodeRun `json:"runs"` // newest first
}

// Disk is a file system with the marks of the policy, in percent; a mark that is zero
// is none.
type Disk struct {
	Name      string `json:"name"`
	Unseen    string `json:"unseen,omitempty"`
	Capacity  int64  `json:"capacity"`
	Available int64  `json:"available"`
	Used      int    `json:"used"`
	Inodes    int    `json:"inodes"`
	Low       int    `json:"low,omitempty"`
	High      int    `json:"high,omitempty"`
	Critical  int    `json:"critical,omitempty"`
	// Full says that it was above the high mark, and not yet below the low one.
	Full bool `json:"full,omitempty"`
}

// NodeRun is a run in short.
type NodeRun struct {
	Name    string        `json:"name"`
	Trigger string        `json:"trigger"`
	Result  string        `json:"result"`
	Started time.Time     `json:"started"`
	Took    time.Duration `json:"took"`
	Removed int           `json:"removed"`
	Bytes   int64         `json:"bytes"`
	Error   string        `json:"error,omitempty"`
}

// encoded returns the node as JSON in which every text is as visible returns it.
func (n *Node) encoded() ([]byte, error) {
	if n == nil {
		return []byte("null"), nil
	}
	shown := *n
	shown.Why, shown.Problems = visible(n.Why), nil
	for _, problem := range n.Problems {
		shown.Problems = append(shown.Problems, visible(problem))
	}
	shown.Disks, shown.Runs = []Disk{}, []NodeRun{}
	for _, disk := range n.Disks {
		disk.Name, disk.Unseen = visible(disk.Name), visible(disk.Unseen)
		shown.Disks = append(shown.Disks, disk)
	}
	for _, run := range n.Runs {
		run.Name, run.Trigger, run.Result, run.Error = visible(run.Name), visible(run.Trigger), visible(run.Result), visible(run.Error)
		shown.Runs = append(shown.Runs, run)
	}
	return json.Marshal(shown)
}
