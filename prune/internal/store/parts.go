package store

import (
	"context"
	"strconv"

	"github.com/containerd/errdefs"
)

// A list that is too long for one answer of containerd is asked for in parts, by
// the ends of what it is divided by. Each part that is still too long is halved,
// because containerd reads the whole list for every part. A part is several
// filters, of which one has to match: one expression for many characters takes a
// hundred times as long.

// Divisor is a field of containerd's filters by whose ends a list can be divided.
type Divisor struct {
	Field string
	// Longest bounds how many characters of an end are looked at.
	Longest int
}

var (
	// ByID divides by IDs. An ID never changes, so nothing is missed that is there
	// all the time.
	ByID = []Divisor{{"id", 64}}
	// ByTarget divides image records by their targets, because digests divide evenly,
	// while all names may end in ":latest"; and those of one target by their names. A
	// record that moves to another target meanwhile may be missed, as one that is
	// written right after a list: a run reads again before it deletes.
	ByTarget = []Divisor{{"target.digest", 4}, {"name", 64}}
)

// before are what may stand before an end: nothing, a digit of a digest, or
// anything else. Every name has exactly one of them.
var before = []string{"^", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f", "[^0-9a-f]"}

// parts is a list that is asked for in parts.
type parts[T any] struct {
	list func(ctx context.Context, filters ...string) ([]T, error)
	all  []T
}

// part is what ends so by the first of the divisors, with one of the beginnings
// before it. Within is the filter of a part that cannot be divided further by the
// divisors before that.
type part struct {
	by         []Divisor
	within     string
	end        string
	places     int
	beginnings []string
}

// InParts lists everything, in as few answers as containerd can send.
func InParts[T any](ctx context.Context, by []Divisor, list func(ctx context.Context, filters ...string) ([]T, error)) ([]T, error) {
	all, err := list(ctx)
	if !errdefs.IsResourceExhausted(err) {
		return all, err
	}
	p := &parts[T]{list: list}
	if err := p.halve(ctx, part{by: by, beginnings: before}, err); err != nil {
		return nil, err
	}
	return p.all, nil
}

// filters match what is in a part: one for each beginning.
func (t part) filters() []string {
	filters := make([]string, len(t.beginnings))
	for i, beginning := range t.beginnings {
		filters[i] = t.within + t.by[0].Field + "~=" + strconv.Quote(beginning+t.end+"$")
	}
	return filters
}

func (p *parts[T]) read(ctx context.Context, t part) error {
	list, err := p.list(ctx, t.filters()...)
	if errdefs.IsResourceExhausted(err) {
		return p.halve(ctx, t, err)
	}
	p.all = append(p.all, list...)
	return err
}

// halve lists in two parts what is too much for one answer, as the error says.
func (p *parts[T]) halve(ctx context.Context, t part, tooMuch error) error {
	if len(t.beginnings) == 1 {
		divided, ok := t.divided()
		if !ok {
			return tooMuch
		}
		t = divided
	}
	first, second := t, t
	half := len(t.beginnings) / 2
	first.beginnings, second.beginnings = t.beginnings[:half], t.beginnings[half:]
	if err := p.read(ctx, first); err != nil {
		return err
	}
	return p.read(ctx, second)
}

// divided is a part with one beginning, to be divided further: by what stands
// before that or, if the divisor has no more, by the next one.
func (t part) divided() (part, bool) {
	switch {
	case t.places+1 < t.by[0].Longest && t.beginnings[0] != "^":
		t.end, t.places, t.beginnings = t.beginnings[0]+t.end, t.places+1, before
		return t, true
	case len(t.by) > 1:
		return part{by: t.by[1:], within: t.filters()[0] + ",", beginnings: before}, true
	default:
		return part{}, false // names that differ further on, or one record
	}
}
