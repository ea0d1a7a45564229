package run

import "time"

const (
	// firstRemoval is how long a slow disk takes to remove a snapshot: by it the
	// first slice is measured, and by what that took the following.
	firstRemoval = 8 * time.Millisecond
	// growth bounds how much larger than the last one a slice may be.
	growth = 4
)

// slicer measures slices: how much of what a run deleted it gives up at a time,
// so that no collection takes much longer than the limit. It learns from the
// collections that it is told of.
type slicer struct {
	limit time.Duration
	// look is what a collection takes that has nothing to remove.
	look time.Duration
	// each is what the removal of one object takes, by the last collections; zero
	// if it is too short to tell.
	each time.Duration
	// last is the size of the last slice.
	last int
}

// size is how many objects the next slice should have: at least one.
func (s *slicer) size() int {
	if s.last == 0 {
		return max(1, int(s.limit/firstRemoval))
	}
	// A collection that mostly looks would be wasted.
	removing := max(s.limit-s.look, s.look)
	most := growth * s.last
	if s.each <= 0 || removing/s.each > time.Duration(most) {
		return most
	}
	return max(1, int(removing/s.each))
}

// looked is told what a collection took that had nothing to remove.
func (s *slicer) looked(took time.Duration) { s.look = took }

// removed is told what the collection of so many objects took.
func (s *slicer) removed(objects int, took time.Duration) {
	s.look = min(s.look, took)
	each := (took - s.look) / time.Duration(max(1, objects))
	if s.each > 0 {
		each = (s.each + each) / 2
	}
	s.each, s.last = each, objects
}
