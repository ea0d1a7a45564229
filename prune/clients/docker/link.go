package docker

import (
	"context"
	"errors"
	"net"
	"sync"
)

var errTooLong = errors.New("its answer is too long")

// link dials the Engine's socket. It remembers what went wrong, for the client
// hands errors on as text only, and it bounds what is read.
type link struct {
	path  string
	limit int64
	// connect is how to connect to a path, each time anew.
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

// cappedConn fails when more comes than may, where io.LimitReader would cut
// it short without a word. One goroutine reads at a time.
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
