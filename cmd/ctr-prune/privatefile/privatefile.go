// Package privatefile writes files that only their owner may read: what runs
// on a machine is nobody else's business.
package privatefile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Refused is the error for a path at which there is something that must not be
// replaced.
type Refused struct{ problem string }

func (e *Refused) Error() string { return e.problem }

// Check says whether [Write] would write to the path: there is nothing, or a
// regular file. A link is neither followed nor replaced, nor is anything else,
// for somebody else may have put it there: the error is a *[Refused].
func Check(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking at %s: %w", path, err)
	case info.Mode()&fs.ModeSymlink != 0:
		return &Refused{fmt.Sprintf("%s is a symbolic link, which is not followed: name the file it points to", path)}
	case !info.Mode().IsRegular():
		return &Refused{fmt.Sprintf("%s is no regular file: name another", path)}
	}
	return nil
}

// Write replaces the file at path by what fill writes, whole or not at all,
// with mode 0600. When it fails nothing of it is left.
func Write(path string, fill func(io.Writer) error) (err error) {
	if err := Check(path); err != nil {
		return err
	}
	// CreateTemp opens with O_EXCL and mode 0600; Rename replaces a name and
	// never follows it.
	tmp, err := os.CreateTemp(filepath.Dir(path), ".ctr-prune-*")
	if err != nil {
		return fmt.Errorf("creating %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(tmp.Name()))
		}
	}()
	if err := errors.Join(store(tmp, fill), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

func store(f *os.File, fill func(io.Writer) error) error {
	w := bufio.NewWriterSize(f, 1<<16)
	if err := fill(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Sync()
}
