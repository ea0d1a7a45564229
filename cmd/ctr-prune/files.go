package main

import (
	"errors"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/privatefile"
)

// checkFile refuses a file to write to before anything is done: a link, or
// what is no regular file.
func checkFile(path string) error {
	var refused *privatefile.Refused
	if err := privatefile.Check(path); errors.As(err, &refused) {
		return usagef("%s", refused)
	}
	return nil // other problems are told when it is written
}
