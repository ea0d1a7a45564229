package run

import (
	"math/rand/v2"
	"testing"
	"time"
)

// drive says what collections take: a look, and so much for each object.
type drive struct{ look, each time.Duration }

func (d drive) collect(objects int) time.Duration { return d.look + time.Duration(objects)*d.each }

// However fast the disk, no collection takes longer than the limit, but for one
// that looks longer than half of it, which then removes for as long as it looks.
func TestSlicerKeepsToTheLimit(t *testing.T) {
	const limit = 250 * time.Millisecond
	for name, c := range map[string]struct {
		drive
		objects     int
		most        time.Duration // the longest collection
		collections int           // no more than these
	}{
		"fast":                   {drive{5 * time.Millisecond, time.Millisecond}, 2000, limit, 12},
		"memory":                 {drive{time.Millisecond, 10 * time.Microsecond}, 20000, limit, 8},
		"slow":                   {drive{20 * time.Millisecond, 8 * time.Millisecond}, 2000, 270 * time.Millisecond, 75},
		"a store that is large":  {drive{200 * time.Millisecond, time.Millisecond}, 20000, 2 * 200 * time.Millisecond, 105},
		"larger than that":       {drive{2 * time.Second, time.Millisecond}, 100000, 4 * time.Second, 60},
		"too quick to be timed":  {drive{}, 100000, 0, 9},
		"nothing but what looks": {drive{time.Second, 0}, 100000, time.Second, 9},
	} {
		t.Run(name, func(t *testing.T) {
			s := slicer{limit: limit}
			longest, all, collections := time.Duration(0), c.look, 0
			for left := c.objects; left > 0; {
				n := min(left, s.size())
				took := c.collect(n)
				longest, all, collections, left = max(longest, took), all+took, collections+1, left-n
				if s.last == 0 {
					s.collected(0, c.look)
				}
				s.collected(n, took)
			}
			// The first slices are smaller than the looks are worth.
			if atOnce := c.collect(c.objects); c.each > 0 && all > 2*atOnce+2*c.look {
				t.Errorf("all take %s, one that removes everything takes %s", all, atOnce)
			}
			if longest > c.most || collections > c.collections {
				t.Errorf("the longest of %d collections took %s, want %s and at most %d", collections, longest, c.most, c.collections)
			}
		})
	}
}

// A collection that was held up by something else does not shrink those that
// follow for good.
func TestSlicerRecovers(t *testing.T) {
	d := drive{10 * time.Millisecond, time.Millisecond}
	s := slicer{limit: 250 * time.Millisecond}
	for i := range 12 {
		n := s.size()
		took := d.collect(n)
		if i == 0 {
			s.collected(0, d.look)
		}
		if i == 4 {
			took += time.Second
		}
		s.collected(n, took)
	}
	if n := s.size(); n < 200 {
		t.Errorf("slices of %d objects after one collection that took long", n)
	}
}

// On a busy disk each collection waits a while for others, and some for long:
// slices do not become so small for it that a run mostly looks.
func TestSlicerOnABusyDisk(t *testing.T) {
	const each, objects = 16 * time.Millisecond, 600
	atOnce := objects * each
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 0))
		s := slicer{limit: 250 * time.Millisecond, beside: 50 * time.Millisecond}
		var all time.Duration
		for left := objects; left > 0; {
			n := min(left, s.size())
			wait := time.Duration(random.ExpFloat64() * float64(100*time.Millisecond))
			took := 50*time.Millisecond + wait + time.Duration(n)*each
			if s.last == 0 {
				s.collected(0, 70*time.Millisecond)
			}
			s.collected(n, took)
			all += took + 50*time.Millisecond
			left -= n
		}
		if all > 5*atOnce/2 {
			t.Errorf("%s with seed %d, where one collection takes %s", all, seed, atOnce)
		}
	}
}
