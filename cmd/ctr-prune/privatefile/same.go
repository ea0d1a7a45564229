package privatefile

import (
	"io"
	"os"
	"path/filepath"
)

// Same says whether two paths mean one file, by whatever spelling: the file
// that is there, or the one that would be made.
func Same(a, b string) bool {
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

// Opened says whether a stream was sent into the file of that path.
func Opened(stream io.Writer, path string) bool {
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
