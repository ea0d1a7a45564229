package proxy

import (
	"context"
	"errors"
	"io"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
)

// handle passes one call on.
func (p *Proxy) handle(_ any, in grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(in)
	md, _ := metadata.FromIncomingContext(in.Context())
	ctx, cancel := context.WithCancel(metadata.NewOutgoingContext(in.Context(), md))
	defer cancel()
	call := p.arrived(method)
	p.gate(ctx, call)
	both := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	out, err := p.out.NewStream(ctx, both, method, grpc.ForceCodecV2(raw{}))
	if err != nil {
		return err
	}
	go func() {
		if err := relay(out.SendMsg, in.RecvMsg); err == nil {
			// What the server thinks of it comes the other way.
			_ = out.CloseSend()
		}
	}()
	answered := sync.OnceFunc(func() {
		call.Answered = true
		p.gate(ctx, call)
	})
	err = relay(func(m any) error {
		answered()
		return in.SendMsg(m)
	}, out.RecvMsg)
	answered() // with an error, or a stream without a message
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
