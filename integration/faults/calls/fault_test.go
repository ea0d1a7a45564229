package calls

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc"
)

// moment is when a call meets its fault.
type moment int

const (
	// before: the call does not reach containerd.
	before moment = iota
	// after: containerd has done what was asked, but its answer is lost; a
	// stream is cut in its midst.
	after
)

func (m moment) String() string { return [...]string{"before", "after"}[m] }

// fault makes one call of a run fail.
type fault struct {
	// at is the number of the call, from 1; 0 is none.
	at     int
	moment moment
	// lasting makes all later calls fail as well.
	lasting bool
	// inject returns the error of the call. If that is nil the call goes on.
	inject func() error

	mu sync.Mutex
	// calls are the methods of the calls so far, method that of the call that
	// failed.
	calls  []string
	method string
}

// hits counts a call and says whether it is the one.
func (f *fault) hits(method string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, method)
	switch n := len(f.calls); {
	case n == f.at:
		f.method = method
		return true
	default:
		return f.lasting && f.at > 0 && n > f.at
	}
}

// isTurn says that a call only learns how long others wait for a collection. How many of
// them a run makes depends on how long that takes, so they are not counted.
func isTurn(method string, req any) bool {
	return strings.HasSuffix(method, "/Update") && strings.Contains(fmt.Sprint(req), "labels.ctr-prune/turn")
}

// ends says whether a call that is not counted is to fail: if all do by now.
func (f *fault) ends() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lasting && f.at > 0 && len(f.calls) >= f.at
}

// methods are those of the calls so far.
func (f *fault) methods() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

func (f *fault) options() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(f.unary), grpc.WithChainStreamInterceptor(f.stream)}
}

func (f *fault) unary(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	hits := func() bool { return f.hits(method) }
	if isTurn(method, req) {
		hits = f.ends
	}
	hit := hits()
	if hit && f.moment == before {
		if err := f.inject(); err != nil {
			return err
		}
	}
	err := invoke(ctx, method, req, reply, cc, opts...)
	if hit && f.moment == after {
		if fault := f.inject(); fault != nil {
			return fault
		}
	}
	return err
}

func (f *fault) stream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	hit := f.hits(method)
	if hit && f.moment == before {
		if err := f.inject(); err != nil {
			return nil, err
		}
	}
	if !hit || f.moment != after {
		return open(ctx, desc, cc, method, opts...)
	}
	ctx, cancel := context.WithCancel(ctx)
	s, err := open(ctx, desc, cc, method, opts...)
	if err != nil {
		cancel()
		return nil, err
	}
	return &cut{ClientStream: s, inject: f.inject, cancel: cancel}, nil
}

// cut is a stream that breaks where its first message is received, for both
// ends.
type cut struct {
	grpc.ClientStream
	inject func() error
	cancel context.CancelFunc
	once   sync.Once
	err    error
}

func (c *cut) RecvMsg(m any) error {
	err := c.ClientStream.RecvMsg(m)
	c.once.Do(func() {
		if c.err = c.inject(); c.err != nil {
			c.cancel()
		}
	})
	if c.err != nil {
		return c.err
	}
	if err != nil {
		c.cancel() // the stream has ended
	}
	return err
}
