// Package flock has the lock of a resident: a file in the folder of its state. The
// kernel gives it back when the process is gone, however that ended, so that who
// has it knows that whoever had it before is gone.
package flock

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// Lock is a lock that this process has until it closes it or ends.
type Lock struct {
	file *os.File
	// ID is the same for everybody who locks the same file, by whatever path.
	ID string
}

// HeldError says that another process has the lock.
type HeldError struct {
	Path string
	// By is who wrote itself into the file, for people.
	By string
}

func (e *HeldError) Error() string {
	if e.By == "" {
		return fmt.Sprintf("another process has locked %s", e.Path)
	}
	return fmt.Sprintf("%s has locked %s", e.By, e.Path)
}

// Take takes the lock without waiting, and writes into the file who has it. The
// error is a *[HeldError] if another process has it.
func Take(path, self string) (*Lock, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	id, err := take(file, path)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	// Only people read it: a full disk does not matter.
	if file.Truncate(0) == nil {
		_, _ = file.WriteAt([]byte(self+"\n"), 0)
	}
	return &Lock{file, id}, nil
}

func take(file *os.File, path string) (id string, err error) {
	switch err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return "", &HeldError{path, holder(file)}
	case err != nil:
		return "", fmt.Errorf("locking %s: %w", path, err)
	}
	ours, err := file.Stat()
	if err != nil {
		return "", err
	}
	there, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	stat, ok := ours.Sys().(*syscall.Stat_t)
	if !os.SameFile(ours, there) || !ok {
		return "", fmt.Errorf("locking %s: it was replaced meanwhile", path)
	}
	return fmt.Sprintf("%d:%d", stat.Dev, stat.Ino), nil
}

// longest is more than anybody writes into the file.
const longest = 200

func holder(file *os.File) string {
	text := make([]byte, longest)
	n, _ := file.ReadAt(text, 0) // at its end the file is read
	return strings.TrimSpace(string(text[:n]))
}

// Close gives the lock back.
func (l *Lock) Close() error { return l.file.Close() }
