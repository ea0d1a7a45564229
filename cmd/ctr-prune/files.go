package main

import (
	"io"
	"os"
	"path/filepath"

	"github.com/ctr-prune/ctr-prune/cmd/ctr-prune/privatefile"
)

// checkFile refuses a file to write to before anything is done: a link, what
// is no regular file, or one in a folder that takes none.
func checkFile(path string) error {
	if err := privatefile.Check(path); err != nil {
		return usagef("%s", err)
	}
	return nil
}

// sameFile says whether two paths mean one file, by whatever spelling: the file
// that is there, or the one that would be made.
func sameFile(a, b string) bool {
	fa, errA := os.Stat(a)
	fb, errB := os.Stat(b)
	if errA == nil && errB == nil {
		return os.SameFile(fa, fb)
	}
	if errA == nil || errB == nil || filepath.Base(a) != filepath.Base(b) {
		return false
	}
	fa, errA = os.Stat(folder(a))
	fb, errB = os.Stat(folder(b))
	return errA == nil && errB == nil && os.SameFile(fa, fb)
}

// folder is that of a path, not cleaned: what is above a link is not what is
// before it.
func folder(path string) string {
	dir, _ := filepath.Split(path)
	if dir == "" {
		return "."
	}
	return dir
}

// isFile says whether a stream was sent into the file of that path.
func isFile(stream io.Writer, path string) bool {
	f, ok := stream.(*os.File)
	if !ok {
		return false
	}
	there, err := os.Stat(path)
	if err != nil {
		return false
	}
	open, err := f.Stat()
	return err == nil && os.SameFile(open, there)
}
