package filters

import (
	"errors"
	"fmt"
)

// Error is a usage error: something typed that cannot be used.
type Error struct {
	// Option is the option that was typed, "filter" or "until", if the value is
	// from [Options]; it is empty if the value was parsed alone.
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

// Error returns one sentence that is safe to print on a terminal.
func (e *Error) Error() string {
	if e.Option == "" {
		return e.What + ": " + e.Instead
	}
	return e.Option + " " + e.What + ": " + e.Instead
}

// prefixed adds to a usage error the option in which the value was typed, and
// the text before the value. Other errors are wrapped.
func prefixed(option, before string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{Option: option, What: before + e.What, Instead: e.Instead}
	}
	return fmt.Errorf("%s %s%w", option, before, err)
}
