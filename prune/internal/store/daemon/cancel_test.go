package daemon

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"testing"
)

// A server that accepts and says nothing is waited for only as long as the
// caller wants.
func TestOpenEndsWithItsContext(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := listener.Accept()
		if err != nil {
			return // the test has ended
		}
		cancel()
		<-ctx.Done()
		_ = conn.Close()
	}()
	if _, err := Open(ctx, socket); !errors.Is(err, context.Canceled) {
		t.Errorf("Open returned %v, want that it was cancelled", err)
	}
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
	<-done
}
