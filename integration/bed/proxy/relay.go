package proxy

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// handle passes one call on.
func (p *Proxy) handle(_ any, in grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(in)
	call := p.arrived(method)
	if answeredOnce(method) {
		return p.once(in, call)
	}
	return p.stream(in, call)
}

// once passes a request on and its answer back. When the client has given it up
// by then it is still waited for, so that [Proxy.Close] returns when containerd
// has done what it was asked to: that it goes on is as likely as not.
func (p *Proxy) once(in grpc.ServerStream, call Call) error {
	var request, answer []byte
	if err := in.RecvMsg(&request); err != nil {
		return err
	}
	p.gate(in.Context(), call)
	if err := in.Context().Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	ctx, cancel := outlasting(in.Context())
	defer cancel()
	var trailer metadata.MD
	err := p.out.Invoke(ctx, call.Method, &request, &answer, grpc.ForceCodecV2(raw{}), grpc.Trailer(&trailer))
	call.Answered = true
	p.gate(in.Context(), call)
	in.SetTrailer(trailer)
	if err != nil {
		return err
	}
	return in.SendMsg(&answer)
}

// patience is how long an answer is waited for that the client does not: it
// ends a test in which containerd stays frozen.
const patience = 2 * time.Minute

// outlasting returns a context for a call to containerd that ends so long after
// the client's.
func outlasting(client context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(outgoing(context.WithoutCancel(client)))
	unhook := context.AfterFunc(client, func() {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-ctx.Done():
		}
	})
	return ctx, func() {
		unhook()
		cancel()
	}
}

// outgoing passes on what a client said about its call.
func outgoing(ctx context.Context) context.Context {
	md, _ := metadata.FromIncomingContext(ctx)
	return metadata.NewOutgoingContext(ctx, md)
}

// answeredOnce says whether a method has one request and one answer. What is not
// known passes as a stream.
func answeredOnce(method string) bool {
	name := strings.ReplaceAll(strings.TrimPrefix(method, "/"), "/", ".")
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(name))
	m, ok := d.(protoreflect.MethodDescriptor)
	return err == nil && ok && !m.IsStreamingClient() && !m.IsStreamingServer()
}

// stream passes messages on, either way, until one side ends.
func (p *Proxy) stream(in grpc.ServerStream, call Call) error {
	ctx, cancel := context.WithCancel(outgoing(in.Context()))
	defer cancel()
	p.gate(ctx, call)
	both := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	out, err := p.out.NewStream(ctx, both, call.Method, grpc.ForceCodecV2(raw{}))
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
