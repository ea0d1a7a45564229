package run

import (
	"math/rand/v2"
	"testing"
	"time"
)

// drive says what collections take: a look, and so much for each object, which
// others wait for, and so much that nobody waits for.
type drive struct{ look, each, tidy time.Duration }

func (d drive) collect(objects int) collection {
	stall := d.look + time.Duration(objects)*d.each
	return collection{stall + time.Duration(objects)*d.tidy, stall}
}

// However fast the disk, nobody waits longer for a collection than the limit, but
// for one that looks for most of it, which then removes for as long as it looks.
func TestSlicerKeepsToTheLimit(t *testing.T) {
	const ms, limit = time.Millisecond, 250 * time.Millisecond
	for name, c := range map[string]struct {
		drive
		objects     int
		most        time.Duration // the longest stall
		collections int           // no more than these
	}{
		"fast":                   {drive{look: 5 * ms, each: ms}, 2000, limit, 17},
		"memory":                 {drive{look: ms, each: ms / 100}, 20000, limit, 9},
		"slow":                   {drive{look: 20 * ms, each: 8 * ms}, 2000, 270 * ms, 127},
		"directories go slowly":  {drive{look: 40 * ms, each: ms, tidy: 6 * ms}, 3300, limit, 120},
		"a store that is large":  {drive{look: 200 * ms, each: ms}, 20000, 2 * 200 * ms, 105},
		"larger than that":       {drive{look: 2000 * ms, each: ms}, 100000, 4050 * ms, 60},
		"few of a large one":     {drive{look: 2000 * ms, each: 4 * ms}, 660, 4050 * ms, 3},
		"too quick to be timed":  {drive{}, 100000, 0, 9},
		"nothing but what looks": {drive{look: 1000 * ms}, 100000, 1000 * ms, 9},
	} {
		t.Run(name, func(t *testing.T) {
			s := slicer{limit: limit}
			longest, all, collections := time.Duration(0), time.Duration(0), 0
			for left := c.objects; left > 0; {
				n := min(left, s.size())
				took := c.collect(n)
				longest, all, collections, left = max(longest, took.stall), all+took.whole, collections+1, left-n
				if s.last == 0 {
					look := took
					if !s.mostlyLooked(took) {
						look = c.collect(0)
						all += look.whole
					}
					s.collected(0, look)
				}
				s.collected(n, took)
			}
			// The first slices are smaller than the looks are worth.
			if atOnce := c.collect(c.objects).whole; c.each > 0 && all > 2*atOnce+2*c.look {
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
	d := drive{look: 10 * time.Millisecond, each: time.Millisecond}
	s := slicer{limit: 250 * time.Millisecond}
	for i := range 12 {
		n := s.size()
		took := d.collect(n)
		if i == 0 {
			s.collected(0, d.collect(0))
		}
		if i == 4 {
			took.stall, took.whole = took.stall+time.Second, took.whole+time.Second
		}
		s.collected(n, took)
	}
	if n := s.size(); n < 100 {
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
				s.collected(0, drive{look: 70 * time.Millisecond}.collect(0))
			}
			s.collected(n, collection{took, took})
			all += took + 50*time.Millisecond
			left -= n
		}
		if all > 11*atOnce/4 {
			t.Errorf("%s with seed %d, where one collection takes %s", all, seed, atOnce)
		}
	}
}
