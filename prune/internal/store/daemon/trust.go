package daemon

import (
	"context"
	"errors"
	"net"

	"github.com/containerd/errdefs"

	"github.com/ctr-prune/ctr-prune/prune/internal/cause"
	"github.com/ctr-prune/ctr-prune/prune/internal/store"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// daemonTrusted refuses a socket that somebody else controls.
func daemonTrusted(path string, believed trust.Judge) error {
	err := believed.Socket(path)
	if refused, ok := errors.AsType[*trust.Refusal](err); ok {
		return daemonRefused(path, refused)
	}
	if err != nil {
		return daemonError(path, "the socket and the folders above it cannot be looked at", "", store.Cause(errdefs.ErrUnavailable, err))
	}
	return nil
}

func daemonRefused(path string, refused *trust.Refusal) error {
	return daemonError(path, refused.Problem, refused.Remedy, &cause.CodeError{Code: codeSocketUntrusted, Err: store.Cause(errdefs.ErrPermissionDenied, refused)})
}

// dialer is how to connect to the socket, each time anew: a connection that
// broke may come back to another socket.
func (c daemonConfig) dialer() func(context.Context, string) (net.Conn, error) {
	if c.insecure {
		return func(ctx context.Context, path string) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", path)
		}
	}
	return trust.Self().Dial
}
