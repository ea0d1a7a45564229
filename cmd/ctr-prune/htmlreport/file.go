package htmlreport

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// WriteFile writes the page to a file that only its owner may read, for it
// tells what runs on the machine. A file of that name is replaced at once or
// not at all; a link is not followed and not replaced, nor is anything else
// that is no regular file.
func WriteFile(path string, page Page) (err error) {
	if err := replaceable(path); err != nil {
		return err
	}
	// CreateTemp opens with O_EXCL and mode 0600; rename replaces a name and
	// never follows it.
	tmp, err := os.CreateTemp(filepath.Dir(path), ".ctr-prune-*.html")
	if err != nil {
		return fmt.Errorf("creating %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(tmp.Name()))
		}
	}()
	if err := fill(tmp, page); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// replaceable says whether there is nothing at path, or a regular file.
func replaceable(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking at %s: %w", path, err)
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link, which is not followed: name the file it points to", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file: name another", path)
	}
	return nil
}

// fill writes the page and closes the file.
func fill(f *os.File, page Page) error {
	w := bufio.NewWriterSize(f, 1<<16)
	err := Write(w, page)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}
