package lastuse

import (
	"maps"
	"time"
)

// Forgotten is after how long an image that is gone leaves the log.
const Forgotten = 7 * 24 * time.Hour

// Log is what is known of when images were last used. It is not safe for concurrent
// use.
type Log struct {
	// since is from when on use has been watched without a gap until the moment
	// until; zero if it never was.
	since   time.Time
	until   Moment
	look    time.Time
	targets map[Key]entry
}

// entry is what is known of one image.
type entry struct {
	Use
	// seen is when it was first seen, gone when it was first missed since.
	seen, gone time.Time
	// busy says that the last look found it in use.
	busy bool
}

// NewLog is one of which nothing is known.
func NewLog() *Log { return &Log{targets: make(map[Key]entry)} }

// View is what is known now.
func (l *Log) View() *View {
	return &View{since: l.since, until: l.until.Wall, targets: maps.Clone(l.targets)}
}

// Since is what the view of this moment says.
func (l *Log) Since(now time.Time) time.Time {
	return (&View{since: l.since, until: l.until.Wall}).Since(now)
}

// Len is how many images are known.
func (l *Log) Len() int { return len(l.targets) }

// Looked is when the store was last looked at.
func (l *Log) Looked() time.Time { return l.look }

// Note records a use of an image, and says whether that was not known. A use
// before the last one changes nothing.
func (l *Log) Note(k Key, use Use) bool {
	e := l.targets[k]
	if e.seen.IsZero() {
		e.seen = use.At
	}
	if !use.At.After(e.At) {
		return false
	}
	e.Use = use
	l.targets[k] = e
	return true
}

// Look is what a look at a store has found.
type Look struct {
	At time.Time
	// Images are those that are there, with who uses them, "" for nobody.
	Images map[Key]string
	// Unread are the namespaces of which not everything is known: what is missing
	// there may be there.
	Unread map[string]bool
}

// Merge adds what a look has found, and says whether that was more than that what
// was used still is.
func (l *Log) Merge(look Look) (news bool) {
	for k, by := range look.Images {
		news = l.find(k, by, look.At) || news
	}
	l.look = later(l.look, look.At)
	return l.miss(look) || news
}

// find notes an image that is there, and who uses it.
func (l *Log) find(k Key, by string, at time.Time) (news bool) {
	e, known := l.targets[k]
	if !known || !e.gone.IsZero() {
		e.seen, e.gone, news = at, time.Time{}, true
	}
	busy := by != ""
	news = news || busy != e.busy || busy && by != e.By
	e.busy = busy
	if busy {
		e.Use = Use{later(e.At, at), by}
	}
	l.targets[k] = e
	return news
}

// miss notes which images are gone, and forgets those that have been for long.
func (l *Log) miss(look Look) (news bool) {
	for k, e := range l.targets {
		if _, there := look.Images[k]; there || look.Unread[k.Namespace] {
			continue
		}
		switch {
		case e.gone.IsZero():
			e.gone = look.At
			l.targets[k] = e
		case look.At.Sub(e.gone) >= Forgotten:
			delete(l.targets, k)
		default:
			continue
		}
		news = true
	}
	return news
}

// Join adds what another log of the same store knows of images, whoever wrote it.
// Whether that one has watched says nothing of this one.
func (l *Log) Join(other *Log) {
	for k, theirs := range other.targets {
		mine, known := l.targets[k]
		if !known {
			l.targets[k] = theirs
			continue
		}
		if theirs.At.After(mine.At) {
			mine.Use = theirs.Use
		}
		if theirs.seen.Before(mine.seen) {
			mine.seen = theirs.seen
		}
		if mine.gone.IsZero() || theirs.gone.IsZero() {
			mine.gone = time.Time{} // a look will tell
		} else {
			mine.gone = later(mine.gone, theirs.gone)
		}
		l.targets[k] = mine
	}
	l.look = later(l.look, other.look)
}
