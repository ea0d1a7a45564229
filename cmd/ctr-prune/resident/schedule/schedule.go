package schedule

import (
	"hash/fnv"
	"time"
)

// Schedule is when runs are to begin.
type Schedule struct {
	// Every is the time between two runs; none begins by itself if it is zero.
	Every time.Duration
	// Offset moves the runs of this node, see [Offset]. It is less than Jitter.
	Offset, Jitter time.Duration
	// Windows are when a run may begin. Without any, that is always.
	Windows []Window
}

// Offset is a part of the jitter that depends on the name of a node alone, so that
// the nodes of a cluster begin one after the other, each always at the same moment.
func Offset(node string, jitter time.Duration) time.Duration {
	if jitter <= 0 {
		return 0
	}
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(node)) // a hash takes everything
	return time.Duration(mixed(sum.Sum64()) % uint64(jitter))
}

// mixed spreads what differs only in the last letters over all bits (the finalizer
// of MurmurHash3): names of nodes are alike.
func mixed(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// Open says whether a run may begin at that time.
func (s Schedule) Open(t time.Time) bool {
	for _, w := range s.Windows {
		if w.Open(t) {
			return true
		}
	}
	return len(s.Windows) == 0
}

// Next is when the next run is to begin, not before now; zero if never. Last is
// when one was last due and was begun, zero if none ever was.
//
// Runs are due at the multiples of Every since 1970, plus the offset, so that a
// restart does not move them. One that was missed is made up for: within the
// jitter, so that the nodes of a cluster that were all restarted at once do not run
// all at once.
func (s Schedule) Next(last, now time.Time) time.Time {
	if s.Every <= 0 {
		return time.Time{}
	}
	if last.IsZero() || last.After(now) { // a time in the future says nothing
		last = now
	}
	due := after(last, s.Every, s.Offset)
	if due.Before(now) {
		due = after(now.Add(-1), max(s.Jitter, 1), s.Offset)
	}
	return s.opening(due)
}

// after is the first moment after t that is a multiple of every since 1970, plus an
// offset.
func after(t time.Time, every, offset time.Duration) time.Time {
	since := t.Sub(time.Unix(0, 0)) - offset
	steps := since / every
	if since >= 0 || since%every == 0 {
		steps++
	}
	return time.Unix(0, 0).Add(steps*every + offset).In(t.Location())
}

// horizon is longer than any window may be shut, also if one of a week falls into
// the hour that is skipped in spring.
const horizon = 15 * 24 * time.Hour

// opening is the first moment from t on at which a run may begin. In a window that
// was waited for, that is after the offset, if the window is open then.
func (s Schedule) opening(t time.Time) time.Time {
	if s.Open(t) {
		return t
	}
	end := t.Add(horizon)
	for m := t.Truncate(time.Minute).Add(time.Minute); m.Before(end); m = m.Add(time.Minute) {
		if !s.Open(m) {
			continue
		}
		if later := m.Add(s.Offset); s.Open(later) {
			return later
		}
		return m
	}
	return time.Time{}
}
