package main

import "github.com/ctr-prune/ctr-prune/cmd/ctr-prune/privatefile"

// checkFile refuses a file to write to before anything is done: a link, what
// is no regular file, or one in a folder that takes none.
func checkFile(path string) error {
	if err := privatefile.Check(path); err != nil {
		return usagef("%s", err)
	}
	return nil
}
