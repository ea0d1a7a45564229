package behaviour_test

import (
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
)

// The calls at which tests stop a run.
const (
	callDeleteImage = "/containerd.services.images.v1.Images/Delete"
	callListImages  = "/containerd.services.images.v1.Images/List"
	callUpdateBlob  = "/containerd.services.content.v1.Content/Update"
	callDeleteLease = "/containerd.services.leases.v1.Leases/Delete"
)

// eventTimeout is how long a test waits for what must happen.
const eventTimeout = 30 * time.Second

// proxy stands between the command and containerd and can hold a call: so a
// run is stopped at a known step, with no need to be quick. It passes messages
// on as they are.
type proxy struct {
	address string
	server  *grpc.ClientConn
	mu      sync.Mutex
	holds   []*hold
}

// hold stops the n-th call of a method and all that follow it.
type hold struct {
	method string
	n      int
	// answered: containerd has done what was called for, but the command
	// does not know yet.
	answered bool

	count    int
	reached  chan struct{} // closed when the n-th call is there
	left     chan struct{} // closed when the caller gives a held call up
	released chan struct{}
	leave    sync.Once
}

// newProxy starts a proxy to the daemon.
func (s *subject) newProxy() *proxy {
	s.t.Helper()
	p := &proxy{address: filepath.Join(s.daemon.Dir(), "proxy.sock")}
	var err error
	p.server, err = grpc.NewClient("unix://"+s.daemon.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	s.must(err)
	listener, err := net.Listen("unix", p.address)
	s.must(err)
	srv := grpc.NewServer(grpc.ForceServerCodecV2(raw{}), grpc.UnknownServiceHandler(p.handle))
	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()
	s.t.Cleanup(func() {
		srv.Stop()
		if err := errors.Join(<-served, p.server.Close()); err != nil {
			s.t.Errorf("ending the proxy: %v", err)
		}
	})
	return p
}

// hold stops the n-th call of a method, and those that follow, before it
// reaches containerd or, if answered, on its way back.
func (p *proxy) hold(method string, n int, answered bool) *hold {
	h := &hold{
		method: method, n: n, answered: answered,
		reached: make(chan struct{}), left: make(chan struct{}), released: make(chan struct{}),
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.holds = append(p.holds, h)
	return h
}

// release lets all held calls go.
func (h *hold) release() { close(h.released) }

func await(t *testing.T, what string, event <-chan struct{}) {
	t.Helper()
	select {
	case <-event:
	case <-time.After(eventTimeout):
		t.Fatalf("waited in vain for %s", what)
	}
}

func (p *proxy) pass(ctx context.Context, method string, answered bool) {
	for _, h := range p.matching(method, answered) {
		select {
		case <-h.released:
		case <-ctx.Done():
			h.leave.Do(func() { close(h.left) })
		}
	}
}

func (p *proxy) matching(method string, answered bool) (stopped []*hold) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.holds {
		if h.method != method || h.answered != answered {
			continue
		}
		h.count++
		if h.count == h.n {
			close(h.reached)
		}
		if h.count >= h.n {
			stopped = append(stopped, h)
		}
	}
	return stopped
}

// handle passes one call on.
func (p *proxy) handle(_ any, in grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(in)
	md, _ := metadata.FromIncomingContext(in.Context())
	ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(in.Context(), md))
	defer cancel()
	p.pass(ctx, method, false)
	both := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	out, err := p.server.NewStream(ctx, both, method, grpc.ForceCodecV2(raw{}))
	if err != nil {
		return err
	}
	go func() {
		if err := relay(out.SendMsg, in.RecvMsg); err == nil {
			// What the server thinks of it comes the other way.
			_ = out.CloseSend()
		}
	}()
	err = relay(func(m any) error {
		p.pass(ctx, method, true)
		return in.SendMsg(m)
	}, out.RecvMsg)
	in.SetTrailer(out.Trailer())
	return err
}

// relay passes messages on until there are no more.
func relay(send, receive func(any) error) error {
	for {
		var m []byte
		if err := receive(&m); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := send(&m); err != nil {
			return err
		}
	}
}

// raw is a codec that leaves messages as they are.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(*v.(*[]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}
