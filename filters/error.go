package filters

import (
	"errors"
	"fmt"
)

// Error is a usage error: something typed that cannot be used.
type Error struct {
	// What is wrong, with the input quoted.
	What string
	// Instead is what to type instead.
	Instead string
}

// Error returns one sentence, safe to print on a terminal.
func (e *Error) Error() string { return e.What + ": " + e.Instead }

// prefixed puts the option that was typed in front of a usage error about its
// value. Errors of other kinds are wrapped.
func prefixed(option string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		return &Error{What: option + e.What, Instead: e.Instead}
	}
	return fmt.Errorf("%s%w", option, err)
}
