package lastuse

import (
	"time"

	"github.com/opencontainers/go-digest"
)

// Key is an image as the log knows it: a target in a namespace.
type Key struct {
	Namespace string
	Target    digest.Digest
}

// Use is when an image was last used, and by whom. The zero value says that no use
// is known.
type Use struct {
	At time.Time
	// By is who used it, such as: container "web-1".
	By string
}

// View is what is known at one moment of when images were last used. Nil is a view
// of which nothing is known. It is never changed.
type View struct {
	since, until time.Time
	targets      map[Key]entry
}

// Since is from when on use has been watched without a gap until now, zero if
// nobody watches. A time in the future counts as now.
func (v *View) Since(now time.Time) time.Time {
	if v == nil || v.since.IsZero() || now.Sub(v.until).Abs() > Bridged {
		return time.Time{}
	}
	return earlier(v.since, now)
}

// Last is the last use of an image that is known. It may be before Since, and is
// never after now: a time in the future counts as now.
func (v *View) Last(namespace string, target digest.Digest, now time.Time) Use {
	if v == nil {
		return Use{}
	}
	use := v.targets[Key{namespace, target}].Use
	use.At = earlier(use.At, now)
	return use
}

// Seen is when an image was first seen, zero if it never was. A time in the future
// counts as now.
func (v *View) Seen(namespace string, target digest.Digest, now time.Time) time.Time {
	if v == nil {
		return time.Time{}
	}
	return earlier(v.targets[Key{namespace, target}].seen, now)
}

func earlier(a, b time.Time) time.Time {
	if a.After(b) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
