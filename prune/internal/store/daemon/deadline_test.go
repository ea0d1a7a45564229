package daemon

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/containerd/errdefs"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
)

// The server does not learn the deadline of a call, so the call never ends before
// the client's context does.
func TestServerDoesNotLearnTheDeadline(t *testing.T) {
	t.Cleanup(func() { goleak.VerifyNone(t) })
	path := filepath.Join(t.TempDir(), "x.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan bool, 1)
	server := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		_, ok := stream.Context().Deadline()
		select {
		case told <- ok:
		default: // an earlier call has told it
		}
		<-stream.Context().Done()
		return stream.Context().Err()
	}))
	served := make(chan error)
	go func() { served <- server.Serve(l) }()
	// On a busy machine the time may be up before the call has arrived.
	for timeout := 100 * time.Millisecond; len(told) == 0; timeout *= 2 {
		daemonTestRefused(t, path, errdefs.ErrUnavailable, "no answer in time", WithTimeout(timeout))
	}
	if <-told {
		t.Error("the server knows the deadline")
	}
	server.Stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestContextWithoutDeadline(t *testing.T) {
	type key struct{}
	ctx, end := context.WithTimeout(context.WithValue(t.Context(), key{}, "value"), time.Hour)
	plain, cancel := withoutDeadline(ctx)
	defer cancel()
	if _, ok := plain.Deadline(); ok || plain.Value(key{}) != "value" || plain.Err() != nil {
		t.Errorf("deadline %v, value %v, error %v", ok, plain.Value(key{}), plain.Err())
	}
	end()
	<-plain.Done()
	if same, _ := withoutDeadline(t.Context()); same != t.Context() {
		t.Error("one without a deadline is replaced")
	}
}
