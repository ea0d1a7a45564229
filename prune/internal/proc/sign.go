package proc

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Begin describes the calling process, as [Procfs.Self] does, with the sign of
// a run that begins: a pipe that stays open until end is called. Until then
// the run lasts; afterwards it counts as over, although its process lives on.
// The kernel keeps the book, so that what any part of the process does under
// way can be told from what has ended, and a run that panics ends as well.
//
// Where a sign cannot be made, or not be seen in procfs, the owner has none:
// its run then lasts as long as its process. Call end once, when the run
// touches the store no more.
func (p Procfs) Begin() (o Owner, end func()) {
	o = p.Self()
	sign, other, err := os.Pipe()
	if err != nil {
		return o, func() {} // out of descriptors: harder to prove over, never easier
	}
	// Nothing is ever read or written, so that closing an end can lose nothing.
	_ = other.Close()
	o.Sign = p.signOf(sign)
	return o, func() { _ = sign.Close() }
}

// signOf returns the name of an open pipe of this process as procfs shows it,
// "" if procfs does not show this very pipe where the owner's is looked for.
func (p Procfs) signOf(pipe *os.File) string {
	info, err := pipe.Stat()
	if err != nil {
		return ""
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	name := fmt.Sprintf("pipe:[%d]", stat.Ino)
	shown, err := os.Readlink(filepath.Join(p.descriptors(os.Getpid()), strconv.Itoa(int(pipe.Fd()))))
	if err != nil || shown != name {
		return ""
	}
	return name
}

func (p Procfs) descriptors(pid int) string { return p.path(strconv.Itoa(pid), "fd") }

// ended says whether a run provably has ended although its process lives: its
// sign is not among what that process has open. A descriptor that is open
// from before the list is read until after it is always in the list.
func (p Procfs) ended(o Owner) bool {
	if o.Sign == "" {
		return false
	}
	dir := p.descriptors(o.PID)
	open, err := os.ReadDir(dir)
	if err != nil || len(open) == 0 {
		return false // what shows nothing proves nothing
	}
	for _, fd := range open {
		name, err := os.Readlink(filepath.Join(dir, fd.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // closed since the list was read
		}
		if err != nil || name == o.Sign {
			return false
		}
	}
	return true
}
