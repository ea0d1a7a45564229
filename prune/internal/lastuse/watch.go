package lastuse

import "time"

// Bridged is the longest gap that does not begin a watch anew: that of a restart or
// an update, or of a killed process whose last words are in the file. What was
// created and removed within it may go unnoticed. It is longer than the file is
// behind.
const Bridged = 10 * time.Minute

// Moment is a time by several clocks.
type Moment struct {
	// Wall is the time of day, which somebody may set.
	Wall time.Time
	// Boot names the time since the machine started, "" if that is not known. Up is
	// how long that is, and Ran how long of it the machine was not suspended.
	Boot    string
	Up, Ran time.Duration
}

// Watched says that somebody who has watched since the last such moment, but for a
// gap, watches now and has just looked. Whether there was a gap is told by the time
// between, in which the machine ran. Where somebody has set the clock forward
// meanwhile, nobody can tell how long ago what was noted before is: the watch begins
// anew. Set back, everything seems younger than it is, which only keeps more.
func (l *Log) Watched(now Moment) (news bool) {
	unwatched, jump := between(l.until, now)
	switch {
	case l.since.IsZero() || max(unwatched, jump) > Bridged:
		l.since, news = now.Wall, true
	case l.since.After(now.Wall): // the clock was ahead, and was set back
		l.since, news = now.Wall, true
	case jump > 0: // what was watched is no longer for that
		l.since = l.since.Add(jump)
	}
	l.until = now
	return news
}

// between is how long the machine ran from one moment to another, and how far the
// clock was set forward meanwhile.
func between(from, to Moment) (ran, jump time.Duration) {
	wall := to.Wall.Sub(from.Wall)
	if to.Boot != "" && from.Boot == to.Boot {
		return to.Ran - from.Ran, wall - (to.Up - from.Up)
	}
	if wall < 0 { // nothing is known
		return Bridged + 1, 0
	}
	return wall, 0
}
