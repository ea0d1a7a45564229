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
	path  string
	limit int64
	// connect opens a new connection to a path.
	connect func(context.Context, string) (net.Conn, error)

	mu  sync.Mutex
	err error
}

func (l *link) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	conn, err := l.connect(ctx, l.path)
	if err != nil {
		l.fail(err)
		return nil, err
	}
	return &cappedConn{Conn: conn, link: l, left: l.limit}, nil
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
// would silently truncate it. One goroutine reads at a time.
type cappedConn struct {
	net.Conn
	link *link
	left int64
}

func (c *cappedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.left -= int64(n); c.left < 0 {
		c.link.fail(errTooLong)
		return 0, errTooLong
	}
	return n, err
}
