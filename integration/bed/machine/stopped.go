package machine

import (
	"errors"

	"golang.org/x/sys/unix"
)

// AwaitStopped waits until SIGSTOP has reached every thread of a child process:
// kill(2) returns earlier, and a call could still be answered.
func AwaitStopped(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WSTOPPED, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
