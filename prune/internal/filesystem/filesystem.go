package filesystem

import (
	"fmt"
	"slices"

	"github.com/ctr-prune/ctr-prune/prune/internal/retention"
)

// FileSystem is a file system that a store is on.
type FileSystem struct {
	// Path is a directory of the store on it, as this process sees it; empty if it
	// is not seen from here.
	Path string `json:"path"`
	// Content says that blobs are there, Snapshotters whose snapshots are.
	Content      bool     `json:"content"`
	Snapshotters []string `json:"snapshotters"`
	// Unseen says why nothing is known of it; empty if something is. The sizes are
	// zero then.
	Unseen string `json:"unseen,omitempty"`
	// CapacityBytes and AvailableBytes are as df(1) and the kubelet count: what is
	// kept for root is not available. Inodes is zero where they are not counted.
	CapacityBytes  int64 `json:"capacityBytes"`
	AvailableBytes int64 `json:"availableBytes"`
	Inodes         int64 `json:"inodes"`
	FreeInodes     int64 `json:"freeInodes"`
	// BlockBytes is what the smallest file takes.
	BlockBytes int64 `json:"-"`
	// NeedBytes and NeedInodes are what has to be freed there.
	NeedBytes  int64 `json:"needBytes"`
	NeedInodes int64 `json:"needInodes"`

	device uint64
}

// UsedPercent is how much of it is in use, as the kubelet counts.
func (f FileSystem) UsedPercent() int { return used(f.CapacityBytes, f.AvailableBytes) }

// UsedInodesPercent is the same for inodes.
func (f FileSystem) UsedInodesPercent() int { return used(f.Inodes, f.FreeInodes) }

func used(capacity, available int64) int {
	if capacity <= 0 {
		return 0
	}
	return 100 - int(percentOf(available, capacity))
}

// percentOf is part*100/whole without an overflow.
func percentOf(part, whole int64) int64 {
	const most = 1 << 56
	for whole > most {
		part, whole = part/2, whole/2
	}
	return part * 100 / whole
}

// lacks is how much more has to be available so that at most that percentage of a
// capacity is in use.
func lacks(capacity, available int64, low int) int64 {
	free := int64(100 - low)
	wanted := capacity/100*free + (capacity%100*free+99)/100
	return max(0, wanted-available)
}

// Covers says whether the blobs are there or, if it is not empty, the snapshots of
// a snapshotter.
func (f FileSystem) Covers(snapshotter string) bool {
	if snapshotter == "" {
		return f.Content
	}
	return slices.Contains(f.Snapshotters, snapshotter)
}

// String names it for people.
func (f FileSystem) String() string {
	if f.Path != "" {
		return f.Path
	}
	if len(f.Snapshotters) > 0 {
		return fmt.Sprintf("snapshotter %q", f.Snapshotters[0])
	}
	return "the content store"
}

// Pressure is what has to be freed. The zero value asks for nothing.
type Pressure struct {
	// FileSystems are all that the store is on, each with what has to be freed
	// there.
	FileSystems []FileSystem
	// FreeBytes has to be freed in all.
	FreeBytes int64
	// MaxUsed, if above zero, is what containerd may use of each file system.
	MaxUsed int64
	// Reserved is what is left to containerd on each file system that something
	// is freed on.
	Reserved int64
	// MaxImages, if above zero, is how many images the store may have.
	MaxImages int
	// Critical says that the rules of a policy give way that are marked as the last.
	Critical bool
	// Strict refuses a store of which a file system is not seen that it uses.
	Strict bool
}

// Full says whether a file system is known to need something freed, before the
// store is read.
func (p *Pressure) Full() bool {
	return p.FreeBytes > 0 || slices.ContainsFunc(p.FileSystems, func(f FileSystem) bool { return f.NeedBytes > 0 || f.NeedInodes > 0 })
}

// Asks says whether anything may have to be freed, also by what only a reading of
// the store tells.
func (p *Pressure) Asks() bool { return p.Full() || p.MaxUsed > 0 || p.MaxImages > 0 }

// Measure is the pressure by the marks of a policy.
func Measure(all []FileSystem, marks retention.Disk) *Pressure {
	p := &Pressure{
		FileSystems: slices.Clone(all),
		MaxUsed:     marks.MaxUsed.Bytes, Reserved: marks.Reserved.Bytes, MaxImages: marks.MaxImages,
	}
	space, inodes := marks.Both(), marks.Inodes.Both()
	for i := range p.FileSystems {
		f := &p.FileSystems[i]
		if f.Unseen != "" {
			continue
		}
		f.NeedBytes, f.NeedInodes = 0, 0
		if over(space, f.UsedPercent()) {
			f.NeedBytes = lacks(f.CapacityBytes, f.AvailableBytes, space.Low)
		}
		if over(inodes, f.UsedInodesPercent()) {
			f.NeedInodes = lacks(f.Inodes, f.FreeInodes, inodes.Low)
		}
		f.NeedBytes = max(f.NeedBytes, marks.MinFree.Bytes-f.AvailableBytes)
		p.Critical = p.Critical || marks.Critical > 0 && f.UsedPercent() >= marks.Critical
	}
	return p
}

func over(m retention.Marks, percent int) bool { return m.High > 0 && percent >= m.High }
