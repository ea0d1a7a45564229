package read

import (
	"context"
	"fmt"

	"github.com/containerd/errdefs"
)

// A list that is too long for one answer of containerd is asked for in parts, by
// the ends of names: a name never changes, so that nothing that is there all the
// time is missed, and digests, which most of so many names end in, divide evenly.
const (
	// otherEnds stands for the characters that are no digits of a digest.
	otherEnds = "[^0-9a-f]"
	// longestEnd bounds how many characters of an end are looked at.
	longestEnd = 64
)

// ends are the characters that one more place of a name divides a list by.
var ends = []string{
	"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f", otherEnds,
}

// InParts lists everything, in as few answers as containerd can send. The field
// is the one of containerd's filters that has the name.
func InParts[T any](ctx context.Context, field string, list func(ctx context.Context, filters ...string) ([]T, error)) ([]T, error) {
	all, err := list(ctx)
	if !errdefs.IsResourceExhausted(err) {
		return all, err
	}
	return partsOf(ctx, field, "", 0, err, list)
}

// partsOf lists what has names that end so, which is too much for one answer, as
// the error says.
func partsOf[T any](ctx context.Context, field, end string, places int, tooMuch error, list func(ctx context.Context, filters ...string) ([]T, error)) ([]T, error) {
	if places == longestEnd {
		return nil, tooMuch
	}
	all, err := list(ctx, fmt.Sprintf("%s~=|^%s$|", field, end)) // no longer than its end
	if err != nil {
		return nil, err
	}
	for _, char := range ends {
		part, err := list(ctx, fmt.Sprintf("%s~=|%s%s$|", field, char, end))
		if errdefs.IsResourceExhausted(err) {
			part, err = partsOf(ctx, field, char+end, places+1, err, list)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
	return all, nil
}
