package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writePrivately writes a file that only its owner may read: what runs on a
// machine is nobody else's business. A file of that name is replaced whole or
// not at all. A link is neither followed nor replaced, nor is anything else
// that is no regular file, for somebody else may have put it there.
func writePrivately(path string, data []byte) (err error) {
	if err := replaceable(path); err != nil {
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
	_, err = tmp.Write(data)
	if err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

func replaceable(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking at %s: %w", path, err)
	case info.Mode()&fs.ModeSymlink != 0:
		return usagef("%s is a symbolic link, which is not followed: name the file it points to", path)
	case !info.Mode().IsRegular():
		return usagef("%s is no regular file: name another", path)
	}
	return nil
}
