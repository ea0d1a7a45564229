package inventory

import "math"

// Amount is a number of objects and the bytes they take on disk. Sums saturate
// at the largest int64.
type Amount struct {
	Blobs     int `json:"blobs"`
	Snapshots int `json:"snapshots"`
	// ContentBytes are apparent bytes: the lengths of the blobs.
	ContentBytes int64 `json:"contentBytes"`
	// SnapshotBytes are allocated bytes, as snapshotters measure them.
	SnapshotBytes int64 `json:"snapshotBytes"`
	TotalBytes    int64 `json:"totalBytes"`
	// AtLeast says that SnapshotBytes and TotalBytes are lower bounds: some of the
	// snapshots could not be measured.
	AtLeast bool `json:"atLeast,omitempty"`
}

// Unmeasured is the size of a snapshot that its snapshotter could not measure,
// such as one whose files a running container removes meanwhile.
const Unmeasured int64 = -1

// Known is what is known of a size: nothing of one that could not be measured.
func Known(bytes int64) int64 { return max(bytes, 0) }

// AddBlob adds a blob of so many bytes.
func (a *Amount) AddBlob(bytes int64) {
	a.Blobs++
	a.ContentBytes = Saturate(a.ContentBytes, bytes)
	a.TotalBytes = Saturate(a.TotalBytes, bytes)
}

// AddSnapshot adds a snapshot that takes so many bytes.
func (a *Amount) AddSnapshot(bytes int64) {
	a.Snapshots++
	a.AtLeast = a.AtLeast || bytes == Unmeasured
	a.SnapshotBytes = Saturate(a.SnapshotBytes, bytes)
	a.TotalBytes = Saturate(a.TotalBytes, bytes)
}

// Add adds another amount.
func (a *Amount) Add(other Amount) {
	a.Blobs += other.Blobs
	a.Snapshots += other.Snapshots
	a.ContentBytes = Saturate(a.ContentBytes, other.ContentBytes)
	a.SnapshotBytes = Saturate(a.SnapshotBytes, other.SnapshotBytes)
	a.TotalBytes = Saturate(a.TotalBytes, other.TotalBytes)
	a.AtLeast = a.AtLeast || other.AtLeast
}

// Saturate adds two sizes. A size below zero, which no store should report,
// counts as nothing.
func Saturate(a, b int64) int64 {
	if b <= 0 {
		return a
	}
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
