package lastuse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

const (
	fileName = "use.json"
	// damagedName is what a file is called that could not be read, tempName one
	// that is being written. There is at most one of each.
	damagedName = "use.json.damaged"
	tempName    = "use.json.new"
)

// maxBytes is how much is read of a file, and written to one: some 200,000 images.
const maxBytes = 64 << 20

// File is where it is written when the images of one store were last used: use.json
// in the folder of that store, in the folder of all state.
type File struct {
	dir, store string
	judge      trust.Judge
}

// ErrNoFolder says that there is no folder for a store: nobody watches it.
var ErrNoFolder = errors.New("there is no folder for this store")

// DamagedError says that a file was not believed. It was set aside if this is from
// [File.Update], and nothing of it is known.
type DamagedError struct {
	Path string
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("%s cannot be used: %v: when images were last used has to be learned anew", e.Path, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// plainID is a store's ID that can be the name of a folder.
var plainID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// In is the file of a store in a folder of state. Nothing is opened yet.
func In(state, store string, judge trust.Judge) (*File, error) {
	if !plainID.MatchString(store) {
		return nil, fmt.Errorf("the store's ID %q cannot be the name of a folder in %s", store, state)
	}
	return &File{filepath.Join(state, store), store, judge}, nil
}

// Folder is that of the store, for what else belongs to it.
func (f *File) Folder() string { return f.dir }

// Create makes the folder, for its owner only.
func (f *File) Create() error { return os.MkdirAll(f.dir, 0o700) }

// Load reads what is known. The error is [ErrNoFolder] if nobody keeps anything of
// this store, a *[DamagedError] if what is there is of no use, and nil without a
// file.
func (f *File) Load(ctx context.Context) (*Log, error) {
	dir, err := f.open()
	if err != nil {
		return NewLog(), err
	}
	defer func() { _ = dir.Close() }() // it was only read
	return f.read(ctx)
}

// Update writes what change makes of what is there, while nobody else writes. What
// cannot be used is set aside, begun anew, and told of in a *[DamagedError], although
// what change has made is written. After any other error nothing is.
func (f *File) Update(ctx context.Context, change func(*Log) *Log) error {
	dir, err := f.open()
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }() // which ends the lock
	if err := lock(ctx, dir); err != nil {
		return fmt.Errorf("locking %s: %w", f.dir, err)
	}
	l, damage := f.read(ctx)
	if damage != nil {
		var damaged *DamagedError
		if !errors.As(damage, &damaged) {
			return damage
		}
		if err := os.Rename(f.path(fileName), f.path(damagedName)); err != nil {
			return errors.Join(damage, fmt.Errorf("setting it aside: %w", err))
		}
		l = NewLog()
	}
	return errors.Join(damage, f.write(dir, change(l)))
}

func (f *File) path(name string) string { return filepath.Join(f.dir, name) }

// open opens the folder if nobody but who is believed could have put something
// into it.
func (f *File) open() (*os.File, error) {
	dir, err := os.OpenFile(f.dir, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", f.dir, ErrNoFolder)
	}
	if err != nil {
		return nil, err
	}
	if err := f.judge.File(dir); err != nil {
		_ = dir.Close() // it was only looked at
		return nil, fmt.Errorf("%s is not believed: %w", f.dir, err)
	}
	return dir, nil
}

// read reads the file, which is no link.
func (f *File) read(ctx context.Context) (*Log, error) {
	path := f.path(fileName)
	damaged := func(err error) (*Log, error) { return NewLog(), &DamagedError{path, err} }
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return NewLog(), nil
	case err != nil:
		return NewLog(), err
	case !info.Mode().IsRegular():
		return damaged(errors.New("it is not a regular file"))
	}
	opened, err := trust.Open(ctx, path)
	if err != nil {
		return NewLog(), err
	}
	defer func() { _ = opened.Close() }() // it was only read
	if err := f.judge.File(opened.File); err != nil {
		return damaged(err)
	}
	text, err := io.ReadAll(io.LimitReader(opened, maxBytes+1))
	if err != nil {
		return NewLog(), err
	}
	if len(text) > maxBytes {
		return damaged(syscall.EFBIG)
	}
	l, err := decode(text, f.store)
	if err != nil {
		return damaged(err)
	}
	return l, nil
}

// write replaces the file with what is known, whole or not at all.
func (f *File) write(dir *os.File, l *Log) (err error) {
	text, err := l.encode(f.store)
	if err != nil {
		return err
	}
	if len(text) > maxBytes {
		return fmt.Errorf("writing %s: %w", f.path(fileName), syscall.EFBIG)
	}
	temp := f.path(tempName)
	if err := os.Remove(temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	out, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = out.Write(text)
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	if err := os.Rename(temp, f.path(fileName)); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return dir.Sync()
}

// lockPatience is how long another is waited for: writing takes milliseconds.
const lockPatience = 10 * time.Second

// lock keeps others from writing until the folder is closed.
func lock(ctx context.Context, dir *os.File) error {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for {
		err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // descriptors are small
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return err
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
