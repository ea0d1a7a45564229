package lastuse

import "time"

// Bridged is the longest gap that does not begin a watch anew: that of a restart or
// an update, or of a killed process whose last words are in the file. What was
// created and removed within it may go unnoticed. It is longer than the file is
// behind.
const Bridged = 10 * time.Minute

// Moment is a time by two clocks.
type Moment struct {
	// Wall is the time of day, which somebody may set.
	Wall time.Time
	// Boot names the time since the machine started, "" if that is not known, and
	// Up is how long that is, also while the machine was suspended.
	Boot string
	Up   time.Duration
}

// Watched says that somebody who has watched since the last such moment, but for a
// gap, watches now and has just looked. Whether there was a gap is told by the time
// between. Where somebody has set the clock forward meanwhile, nobody can tell how
// long ago what was noted before is: the watch begins anew. Set back, everything
// seems younger than it is, which only keeps more.
func (l *Log) Watched(now Moment) (news bool) {
	real, byWall := between(l.until, now)
	switch {
	case l.since.IsZero() || max(real, byWall) > Bridged:
		l.since, news = now.Wall, true
	case byWall > real: // what was watched is no longer for that
		l.since = l.since.Add(byWall - real)
	}
	l.until = now
	return news
}

// endless is a gap of which nothing is known.
const endless = time.Duration(1<<63 - 1)

// between is how long it was from one moment to another, really and by the clock.
func between(from, to Moment) (real, wall time.Duration) {
	real, wall = to.Up-from.Up, to.Wall.Sub(from.Wall)
	if to.Boot == "" || from.Boot != to.Boot {
		real = wall
	}
	if real < 0 {
		real = endless
	}
	return real, wall
}
