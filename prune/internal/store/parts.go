package store

import (
	"context"
	"strconv"

	"github.com/containerd/errdefs"
)

// A list that is too long for one answer of containerd is asked for in parts, by
// the ends of names: a name never changes, so that nothing that is there all the
// time is missed, and digests, which most of so many names end in, divide evenly.
// Each part that is still too long is halved, because containerd reads the whole
// list for every part. A part is several filters, of which one has to match: one
// expression for many characters takes a hundred times as long.

// longestEnd bounds how many characters of an end are looked at.
const longestEnd = 64

// before are what may stand before an end: nothing, a digit of a digest, or
// anything else. Every name has exactly one of them.
var before = []string{"^", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f", "[^0-9a-f]"}

// parts is a list that is asked for in parts.
type parts[T any] struct {
	field string
	list  func(ctx context.Context, filters ...string) ([]T, error)
	all   []T
}

// InParts lists everything, in as few answers as containerd can send. The field
// is the one of containerd's filters that has the name.
func InParts[T any](ctx context.Context, field string, list func(ctx context.Context, filters ...string) ([]T, error)) ([]T, error) {
	all, err := list(ctx)
	if !errdefs.IsResourceExhausted(err) {
		return all, err
	}
	p := &parts[T]{field: field, list: list}
	if err := p.halve(ctx, "", 0, before, err); err != nil {
		return nil, err
	}
	return p.all, nil
}

// read lists what ends so, with one of the beginnings before it.
func (p *parts[T]) read(ctx context.Context, end string, places int, beginnings []string) error {
	filters := make([]string, len(beginnings))
	for i, beginning := range beginnings {
		filters[i] = p.field + "~=" + strconv.Quote(beginning+end+"$")
	}
	list, err := p.list(ctx, filters...)
	if errdefs.IsResourceExhausted(err) {
		return p.halve(ctx, end, places, beginnings, err)
	}
	p.all = append(p.all, list...)
	return err
}

// halve lists in two parts what is too much for one answer, as the error says.
func (p *parts[T]) halve(ctx context.Context, end string, places int, beginnings []string, tooMuch error) error {
	if len(beginnings) == 1 {
		if places == longestEnd || beginnings[0] == "^" {
			return tooMuch // names that differ further on, or one record
		}
		end, places, beginnings = beginnings[0]+end, places+1, before
	}
	half := len(beginnings) / 2
	if err := p.read(ctx, end, places, beginnings[:half]); err != nil {
		return err
	}
	return p.read(ctx, end, places, beginnings[half:])
}
