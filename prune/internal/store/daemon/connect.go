package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/containerd/containerd/v2/client"
	"github.com/containerd/errdefs"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/status"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// A containerd that is connected but does not respond, because it is stopped or
// stuck in the kernel, would be waited for forever. After silence without a
// message it is sent a keepalive ping, which it answers also while it collects
// garbage, and it has silenceTimeout to do so. By default a gRPC server closes
// the connection of a client that pings more often than every five minutes.
const (
	silence        = 6 * time.Minute
	silenceTimeout = time.Minute
)

// daemonConnect connects to the socket and waits for the server's version,
// at most cfg.timeout.
func daemonConnect(ctx context.Context, path string, cfg daemonConfig) (*client.Client, error) {
	dialer := &daemonDialer{path: path, connect: cfg.dialer()}
	dial := slices.Concat([]grpc.DialOption{
		grpc.WithContextDialer(dialer.dial),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: silence, Timeout: silenceTimeout}),
	}, withoutDeadlines(), cfg.dial)
	c, err := client.New(path,
		// Twice the timeout for the transport: the call below has to reach its own
		// first, because then the error is known to be a timeout.
		client.WithTimeout(2*cfg.timeout),
		client.WithExtraDialOpts(dial),
		// Lists of images and leases are one message each. containerd lets its
		// administrator raise the server's limit; the client's must not be lower.
		client.WithCallOpts([]grpc.CallOption{
			grpc.MaxCallRecvMsgSize(math.MaxInt32),
			grpc.MaxCallSendMsgSize(math.MaxInt32),
		}),
	)
	if err != nil {
		return nil, daemonError(path, "the connection cannot be set up", "", store.Cause(errdefs.ErrUnavailable, err))
	}
	if err := daemonGreet(ctx, c, dialer, cfg); err != nil {
		// The connection is of no more use, and the error that matters is known.
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func daemonGreet(ctx context.Context, c *client.Client, dialer *daemonDialer, cfg daemonConfig) error {
	greeting, cancel := context.WithTimeout(ctx, cfg.timeout)
	defer cancel()
	version, err := c.Version(greeting)
	if ctx.Err() != nil {
		return fmt.Errorf("connecting to containerd at %q: %w", dialer.path, ctx.Err())
	}
	if err != nil {
		return daemonFailure(dialer.path, err, dialer.lastErr())
	}
	if version.Version == "" {
		return daemonStranger(dialer.path, errors.New("it reports no version"))
	}
	return nil
}

// daemonFailure turns what became of the first call into an OpenError. dial
// is the error of the last attempt to connect, nil if it succeeded: gRPC hands
// it on as text only.
func daemonFailure(path string, call, dial error) error {
	if refused, ok := errors.AsType[*trust.Refusal](dial); ok {
		return daemonRefused(path, refused)
	}
	switch {
	case errors.Is(dial, fs.ErrPermission):
		return daemonDenied(path, dial)
	case errors.Is(dial, fs.ErrNotExist):
		return daemonError(path, "no such socket", daemonHint, noSocket(errdefs.ErrNotFound, dial))
	case errors.Is(dial, syscall.ECONNREFUSED):
		return daemonError(path, "connection refused, nothing listens on this socket", daemonHint,
			noSocket(errdefs.ErrUnavailable, dial))
	case status.Code(call) == codes.DeadlineExceeded:
		return daemonError(path, "no answer in time", "is it overloaded, or not containerd's socket?",
			store.Cause(errdefs.ErrUnavailable, errors.Join(call, context.DeadlineExceeded)))
	case dial != nil:
		return daemonError(path, "the connection failed", daemonHint, noSocket(errdefs.ErrUnavailable, dial))
	default:
		return daemonStranger(path, call)
	}
}

// daemonStranger reports a server that connects but does not answer as
// containerd: another daemon's HTTP socket, or gRPC without the version service.
func daemonStranger(path string, why error) error {
	return daemonError(path, "what answers there is not containerd", "",
		&cause.CodeError{Code: codeNotContainerd, Err: store.Cause(errdefs.ErrFailedPrecondition, why)})
}

// daemonDialer connects to one socket and remembers how the last attempt ended.
type daemonDialer struct {
	path    string
	connect func(context.Context, string) (net.Conn, error)
	mu      sync.Mutex
	err     error
}

func (d *daemonDialer) dial(ctx context.Context, _ string) (net.Conn, error) {
	conn, err := d.connect(ctx, d.path)
	d.mu.Lock()
	d.err = err
	d.mu.Unlock()
	return conn, err
}

func (d *daemonDialer) lastErr() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}
