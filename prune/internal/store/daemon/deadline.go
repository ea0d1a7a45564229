package daemon

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// withoutDeadlines are options for calls whose deadline only the client knows. A
// server that is told the deadline ends the call a moment before the client's
// own context is over, so that the error would not be recognized as the end of
// the time. What is told to the server is that the call was canceled.
func withoutDeadlines() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(unaryWithoutDeadline), grpc.WithChainStreamInterceptor(streamWithoutDeadline)}
}

func unaryWithoutDeadline(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	plain, cancel := withoutDeadline(ctx)
	defer cancel()
	return asEndOf(ctx, invoke(plain, method, req, reply, conn, opts...))
}

func streamWithoutDeadline(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	plain, cancel := withoutDeadline(ctx)
	s, err := open(plain, desc, conn, method, opts...)
	if err != nil {
		cancel()
		return nil, asEndOf(ctx, err)
	}
	return s, nil // ends with ctx at the latest
}

// withoutDeadline returns a context that ends with ctx and has no deadline.
func withoutDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); !ok {
		return ctx, func() {}
	}
	plain, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	return plain, func() { stop(); cancel() }
}

// asEndOf tells a call that was canceled because ctx is over by its reason.
func asEndOf(ctx context.Context, err error) error {
	if status.Code(err) == codes.Canceled && ctx.Err() != nil {
		return status.FromContextError(ctx.Err()).Err()
	}
	return err
}
