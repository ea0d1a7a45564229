package trust

import (
	"context"
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// Socket refuses a socket that somebody else controls: who connects to it, or
// answers on it, can do anything on this machine, or see and say anything about
// its images. The members of its group may connect: that is what it is for.
func (j Judge) Socket(path string) error {
	fi, err := os.Stat(path)
	if err != nil {
		return err
	}
	if fi.Mode().Perm()&worldWritable != 0 { // the right to connect (unix(7))
		return &Refusal{fmt.Sprintf("every user may write to this socket, its mode is %04o", fi.Mode().Perm()), chmod("o")}
	}
	if user := owner(fi); !j.believes(user) {
		return &Refusal{fmt.Sprintf("this socket belongs to user %d, who is neither root nor the user running this", user), "run as that user"}
	}
	return j.way("socket", path)
}

// Dial connects to a socket that nobody else controls. What answers is looked
// at too, as the socket may have been replaced since.
func (j Judge) Dial(ctx context.Context, path string) (net.Conn, error) {
	if err := j.Socket(path); err != nil {
		return nil, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	if err := j.peer(conn); err != nil {
		_ = conn.Close() // nothing was written to it
		return nil, err
	}
	return conn, nil
}

// peer refuses who listens on a socket: the kernel noted the user when it
// began to listen (SO_PEERCRED in unix(7)). A server out of the user namespace
// has a user whom it does not know.
func (j Judge) peer(conn net.Conn) error {
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return fmt.Errorf("asking who listens: %w", err)
	}
	var cred *unix.Ucred
	var failed error
	err = raw.Control(func(fd uintptr) {
		cred, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	})
	if err == nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("asking who listens: %w", err)
	}
	if user := int(cred.Uid); !j.believes(user) && user != j.unmapped {
		return &Refusal{fmt.Sprintf("a process of user %d answers on this socket, who is neither root nor the user running this", user), "run as that user"}
	}
	return nil
}
