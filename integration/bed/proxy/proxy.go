package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
)

// Call is a call that passes.
type Call struct {
	// Method is its full name, such as
	// "/containerd.services.images.v1.Images/List".
	Method string
	// Number counts the calls of a proxy, Nth those of the method, from 1.
	Number, Nth int
	// Answered: containerd has done what was called for, but the client does
	// not know yet. For a stream this is its first message.
	Answered bool
}

// Gate is called when a call arrives and again when it is answered. The call
// waits until it returns. The context ends when the client gives the call up;
// what has not reached containerd by then never does.
type Gate func(context.Context, Call)

// Proxy is a running proxy.
type Proxy struct {
	gate   Gate
	out    *grpc.ClientConn
	srv    *grpc.Server
	served chan error
	close  func() error

	mu    sync.Mutex
	calls []Call
	count map[string]int
}

// Start serves on the socket at path what the containerd on the socket at
// server answers, until Close or the end of the test.
func Start(tb testing.TB, server, path string, gate Gate) *Proxy {
	tb.Helper()
	out, err := grpc.NewClient("unix://"+server,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		// A daemon that was started again is found at once.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 5 * time.Millisecond, Multiplier: 1, MaxDelay: 5 * time.Millisecond},
			MinConnectTimeout: time.Second,
		}))
	if err != nil {
		tb.Fatalf("preparing a proxy to %s: %v", server, err)
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		tb.Fatalf("starting a proxy: %v", err)
	}
	p := &Proxy{gate: gate, out: out, served: make(chan error, 1), count: make(map[string]int)}
	p.srv = grpc.NewServer(grpc.ForceServerCodecV2(raw{}), grpc.UnknownServiceHandler(p.handle), grpc.WaitForHandlers(true))
	go func() { p.served <- p.srv.Serve(listener) }()
	p.close = sync.OnceValue(p.end)
	tb.Cleanup(func() {
		if err := p.Close(); err != nil {
			tb.Error(err)
		}
	})
	return p
}

// Close ends all calls and waits until they are gone, and containerd has answered
// those that are answered once: what it was asked to do is done then.
func (p *Proxy) Close() error { return p.close() }

func (p *Proxy) end() error {
	p.srv.Stop()
	if err := errors.Join(<-p.served, p.out.Close()); err != nil {
		return fmt.Errorf("ending the proxy: %w", err)
	}
	return nil
}

// Calls lists the calls so far in the order in which they came.
func (p *Proxy) Calls() []Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Call(nil), p.calls...)
}

func (p *Proxy) arrived(method string) Call {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count[method]++
	c := Call{Method: method, Number: len(p.calls) + 1, Nth: p.count[method]}
	p.calls = append(p.calls, c)
	return c
}
