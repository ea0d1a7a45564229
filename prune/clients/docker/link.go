package docker

import (
	"context"
	"errors"
	"net"
	"sync"
)

var errTooLong = errors.New("its answer is too long")

// link dials the Engine's socket. It remembers what went wrong, because the
// client passes errors on only as text, and it limits how much is read.
type link struct {
	path string
	// connect opens a new connection to a path.
	connect func(context.Context, string) (net.Conn, error)

	mu  sync.Mutex
	err error
	// left is how many bytes may still be read.
	left int64
}

// grow lets more be read.
func (l *link) grow(bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left += bytes
}

// spend counts what was read, and says whether it was more than allowed.
func (l *link) spend(bytes int) (tooLong bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.left -= int64(bytes)
	if l.left < 0 {
		l.err = errTooLong
	}
	return l.left < 0
}

func (l *link) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	conn, err := l.connect(ctx, l.path)
	if err != nil {
		l.fail(err)
		return nil, err
	}
	return &cappedConn{Conn: conn, link: l}, nil
}

func (l *link) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

func (l *link) lastErr() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// cappedConn fails if more data arrives than allowed, whereas io.LimitReader
// would silently truncate it.
type cappedConn struct {
	net.Conn
	link *link
}

func (c *cappedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.link.spend(n) {
		return 0, errTooLong
	}
	return n, err
}
