package filters

import (
	"errors"
	"fmt"
)

// Error is a usage error: something typed that cannot be used.
type Error struct {
	// Option is where it was typed: "filter" or "until", for a field of
	// [Options], empty for a value that was parsed alone.
	Option string
	// What is wrong, with the input quoted.
	What string
	// Instead is what to type instead.
	Instead string
}

// The options that an [Error] may be about.
const (
	optionFilter = "filter"
	optionUntil  = "until"
)

// Error returns one sentence, safe to print on a terminal.
func (e *Error) Error() string {
	if e.Option == "" {
		return e.What + ": " + e.Instead
	}
	return e.Option + " " + e.What + ": " + e.Instead
}

// prefixed says of a usage error about a value in which option it was typed, and
// what stood before it. Errors of other kinds are wrapped.
func prefixed(option, before string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{Option: option, What: before + e.What, Instead: e.Instead}
	}
	return fmt.Errorf("%s %s%w", option, before, err)
}
