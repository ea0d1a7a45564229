package retention

import "slices"

// Disk says when the disks of a store are full, and what to free then. What is zero
// is not asked.
type Disk struct {
	// High and Low are percentages of a file system in use: from the first on it is
	// full, and images go until at most the second is used. From Critical on rules
	// marked as the last give way.
	Marks
	Critical int
	// Inodes are the same for inodes.
	Inodes Marks
	// MinFree is how much of a file system has to be available.
	MinFree Size
	// MaxUsed is how much containerd may use of a file system, and Reserved how much
	// is left to it at least.
	MaxUsed, Reserved Size
	// MaxImages is how many images the store may have.
	MaxImages int
	// Check is how often to look.
	Check Age
}

// Marks are two percentages, of which Low is the lower.
type Marks struct{ High, Low int }

// step is how far Low lies below High where only the latter is given.
const step = 10

// Both returns the marks with the one that is not given: without it, what is
// full begins where Low ends, or Low is ten percent below.
func (m Marks) Both() Marks {
	switch {
	case m.High == 0:
		m.High = m.Low
	case m.Low == 0:
		m.Low = max(1, m.High-step)
	}
	return m
}

// Size is a number of bytes with the text that it was typed as.
type Size struct {
	Bytes int64
	Typed string
}

// WhenCritical returns the policy by which images go when a disk is critical: the
// rules marked as the last do not keep by age or use. What they keep by number, and
// rules that keep all, hold; so do minAge and what is protected.
func (p *Policy) WhenCritical() *Policy {
	if p == nil || !slices.ContainsFunc(p.Rules, func(r Rule) bool { return r.Last }) {
		return p
	}
	changed := *p
	changed.Rules = slices.Clone(p.Rules)
	for i := range changed.Rules {
		if r := &changed.Rules[i]; r.Last {
			r.Keep.Within, r.Keep.UsedWithin = Age{}, Age{}
		}
	}
	return &changed
}
