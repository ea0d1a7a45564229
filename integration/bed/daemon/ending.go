package daemon

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// endTimeout bounds the wait for the end of a process that was killed.
const endTimeout = 5 * time.Minute

// endLeavings ends what the containerd of a folder has left running, killed or
// not: shims live on until a containerd that knows of them ends them, and so do
// the programs in containers. It returns what it has ended.
func endLeavings(dir string) (ended []string, err error) {
	for {
		found, err := leavings(dir)
		if err != nil || len(found) == 0 {
			return ended, err
		}
		for _, pid := range found { // what is started meanwhile is for the next round
			what, err := endLeaving(dir, pid)
			if err != nil {
				return ended, fmt.Errorf("ending process %d that containerd left: %w", pid, err)
			}
			if what != "" {
				ended = append(ended, what)
			}
		}
	}
}

// endLeaving kills one of them, waits until it is gone and returns what it was:
// nothing, if it was over already.
func endLeaving(dir string, pid int) (what string, err error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	if !belongs(pid, dir) { // the number may be another's by now
		return "", nil
	}
	line, err := os.ReadFile(procFile(pid, "cmdline"))
	if err != nil {
		return "", nil
	}
	what = strings.Join(strings.FieldsFunc(string(line), func(r rune) bool { return r == 0 }), " ")
	flags, isShim := shimFlags(pid, dir)
	if err := thaw(pid); err != nil {
		return "", err
	}
	if err := unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return "", err
	}
	if err := awaitEnd(fd); err != nil {
		return "", err
	}
	if isShim {
		err = removeSocket(dir, flags["-namespace"], flags["-id"])
	}
	return what, err
}

// awaitEnd waits until the process of a descriptor has ended.
func awaitEnd(pidfd int) error {
	deadline := time.Now().Add(endTimeout)
	for {
		left := time.Until(deadline)
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}, int(max(0, left.Milliseconds())))
		switch {
		case n == 1:
			return nil
		case err != nil && !errors.Is(err, unix.EINTR):
			return err
		case left <= 0:
			return fmt.Errorf("it did not end within %v of SIGKILL", endTimeout)
		}
	}
}
