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

// Refused is the error for a path with something that must not be replaced.
type Refused struct{ problem string }

func (e *Refused) Error() string { return e.problem }

// Check reports whether [Write] would write to the path, as far as that can be
// known before: see look, and the folder must be writable. It leaves nothing
// behind.
func Check(path string) error {
	if err := look(path); err != nil {
		return err
	}
	tmp, err := create(path)
	if err != nil {
		return err
	}
	return errors.Join(tmp.Close(), os.Remove(tmp.Name()))
}

// look refuses to replace anything but a regular file. A link is neither
// followed nor replaced, nor is anything else, because another user may have
// put it there: the error is a *[Refused].
func look(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking at %s: %w", path, err)
	case info.Mode()&fs.ModeSymlink != 0:
		return &Refused{fmt.Sprintf("%s is a symbolic link, which is not followed: name the file it points to", path)}
	case !info.Mode().IsRegular():
		return &Refused{fmt.Sprintf("%s is not a regular file: name another", path)}
	}
	return nil
}

// Write replaces the file at path with what fill writes, completely or not at
// all, with mode 0600. If it fails, it leaves nothing behind.
func Write(path string, fill func(io.Writer) error) error {
	return WriteFor(nil, path, fill)
}

// Owner is the user and the group that a file is given to.
type Owner struct{ User, Group int }

// WriteFor is like [Write], and gives the file to its owner unless that is nil.
// Where nothing can be given away, as on a stick with FAT, the file stays with
// who writes it.
func WriteFor(owner *Owner, path string, fill func(io.Writer) error) (err error) {
	if err := look(path); err != nil {
		return err
	}
	tmp, err := create(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("writing %s: %w", path, err), os.Remove(tmp.Name()))
		}
	}()
	if err := errors.Join(store(tmp, fill), give(tmp, owner), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path) // it replaces a name and never follows it
}

// create creates the temporary file that is to replace path, in the same
// folder.
func create(path string) (*os.File, error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".ctr-prune-*") // O_EXCL, mode 0600
	var at *fs.PathError
	if errors.As(err, &at) {
		err = at.Err // its path is not one that anybody typed
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be written: %w", path, err)
	}
	return tmp, nil
}

func give(f *os.File, owner *Owner) error {
	if owner == nil {
		return nil
	}
	if err := f.Chown(owner.User, owner.Group); err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
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
