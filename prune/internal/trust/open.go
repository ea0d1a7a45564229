package trust

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Opened is a file that a user named. Reading it ends with the context that it
// was opened with.
type Opened struct {
	*os.File
	ctx    context.Context //nolint:containedctx // that of one reading
	stop   func() bool
	waited bool
}

// Open opens a file that a user named and reads it until the context ends: it may
// be a pipe that nobody ever writes to, which the system waits for without end.
func Open(ctx context.Context, path string) (*Opened, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	// A regular file has no deadlines and needs none.
	stop := context.AfterFunc(ctx, func() { _ = f.SetReadDeadline(time.Unix(1, 0)) })
	return &Opened{File: f, ctx: ctx, stop: stop}, nil
}

// Read implements [io.Reader].
func (o *Opened) Read(p []byte) (n int, err error) {
	if err := o.ctx.Err(); err != nil {
		return 0, err
	}
	if !o.waited {
		err = o.awaitWriter()
	}
	if err == nil {
		o.waited = true
		n, err = o.File.Read(p)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) && o.ctx.Err() != nil {
		err = o.ctx.Err()
	}
	return n, err
}

// awaitWriter waits until a pipe has something to read or its writers have gone:
// one that nobody has opened for writing yet looks as if it had ended.
func (o *Opened) awaitWriter() error {
	info, err := o.Stat()
	if err != nil || info.Mode()&os.ModeNamedPipe == 0 {
		return err
	}
	conn, err := o.SyscallConn()
	if err != nil {
		return err
	}
	return conn.Read(func(fd uintptr) bool {
		fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}} //nolint:gosec // descriptors are small
		n, err := unix.Poll(fds, 0)
		return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
	})
}

// Close closes the file.
func (o *Opened) Close() error {
	o.stop()
	return o.File.Close()
}

// ReadFile reads a file that a user named, and fails if it has more than limit
// bytes.
func ReadFile(ctx context.Context, path string, limit int64) ([]byte, error) {
	f, err := Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = &os.PathError{Op: "read", Path: path, Err: syscall.EFBIG}
	}
	return text, err
}
