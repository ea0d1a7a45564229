package privatefile

import (
	"io"
	"os"
	"path/filepath"
)

// Same reports whether two paths refer to the same file, however they are
// written: the existing file, or the one that would be created.
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

// folder is the folder of a path. The path is not cleaned, because the parent
// of a link's target is not the folder that the link is in.
func folder(path string) string {
	dir, _ := filepath.Split(path)
	if dir == "" {
		return "."
	}
	return dir
}

// Opened reports whether a stream was redirected to the file at the path.
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
