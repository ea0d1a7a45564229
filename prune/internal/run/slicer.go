package run

import "time"

const (
	// firstRemoval is how long a slow disk takes to remove a snapshot: by it the
	// first slice is measured, and by what that took the following.
	firstRemoval = 8 * time.Millisecond
	// growth bounds how much larger than the last one a slice may be.
	growth = 4
)

const (
	// memory is how much the collections before count, at each further one.
	memory = 0.8
	// surprise bounds how much longer than expected a collection counts.
	surprise = 2
)

// slicer measures slices: how much of what a run deleted it gives up at a time,
// so that no collection takes much longer than the limit. It learns from the
// collections that it is told of, of which the last count most: what one takes
// that has much to remove and one that has little tells apart what each object
// takes, and what every collection takes, because it looks at the store and waits
// for others to write.
type slicer struct {
	limit time.Duration
	// beside is what a slice takes apart from its collection, when nobody has to
	// wait.
	beside time.Duration
	// last is the size of the last slice.
	last int
	// These are sums over collections, each with its weight: of the weights, of
	// objects, of seconds, of squares of objects, and of objects times seconds.
	weights, objects, seconds, squares, products float64
}

// size is how many objects the next slice should have: at least one.
func (s *slicer) size() int {
	if s.last == 0 {
		return max(1, int(s.limit/firstRemoval))
	}
	size := growth * s.last
	if look, each := s.fit(); each > 0 {
		// A collection that mostly looks would be wasted.
		removing := max(s.limit.Seconds()-look, look+s.beside.Seconds())
		size = int(min(removing/each, float64(size)))
	}
	return max(1, size, s.last/2)
}

// fit draws a line through what collections took: the seconds of one that has
// nothing to remove, and those of each object.
func (s *slicer) fit() (look, each float64) {
	each = (s.weights*s.products - s.objects*s.seconds) / (s.weights*s.squares - s.objects*s.objects)
	if look = (s.seconds - each*s.objects) / s.weights; look < 0 {
		return 0, s.seconds / s.objects
	}
	return look, each
}

// collected is told what the collection of so many objects took.
func (s *slicer) collected(objects int, took time.Duration) {
	n, t := float64(objects), took.Seconds()
	if look, each := s.fit(); each > 0 {
		t = min(t, surprise*(look+each*n)) // what held it up is over
	}
	s.weights, s.objects, s.seconds = s.weights*memory+1, s.objects*memory+n, s.seconds*memory+t
	s.squares, s.products = s.squares*memory+n*n, s.products*memory+n*t
	if objects > 0 {
		s.last = objects
	}
}
