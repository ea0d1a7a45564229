package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
	"golang.org/x/sync/errgroup"

	"github.com/ctr-prune/ctr-prune/prune"
	"github.com/ctr-prune/ctr-prune/prune/internal/trust"
)

// engine is a connection to a Docker Engine for one call of [Source.Uses].
type engine struct {
	api  *client.Client
	link *link
	base *http.Transport
}

func (s *Source) connect() (*engine, error) {
	l := &link{path: s.path, left: s.limit, connect: s.dial}
	base := &http.Transport{DialContext: l.dial, DisableCompression: true, MaxIdleConnsPerHost: parallel}
	api, err := client.New(client.WithHost("unix://"+s.path), client.WithHTTPClient(&http.Client{
		Transport: answers{base, l}, CheckRedirect: client.CheckRedirect,
	}))
	if err != nil {
		return nil, err
	}
	return &engine{api, l, base}, nil
}

// close ends the connection.
func (e *engine) close() { e.base.CloseIdleConnections() }

// sight is what an Engine returned about itself and its containers.
type sight struct {
	info       system.Info
	containers []container.Summary
}

// looks is how often the Engine is asked if containers are created or removed
// between its two answers.
const looks = 3

// parallel is how many questions about single containers are under way at once.
const parallel = 8

// each calls do for each container of a list, several at a time, and returns the
// first error.
func each(ctx context.Context, n int, do func(context.Context, int) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallel)
	for i := range n {
		g.Go(func() error { return do(ctx, i) })
	}
	return g.Wait()
}

// look asks the Engine about itself and for all of its containers. An answer
// that cannot be complete is an error.
func (e *engine) look(ctx context.Context) (sight, error) {
	for left := looks; ; left-- {
		info, err := e.api.Info(ctx, client.InfoOptions{})
		if err != nil {
			return sight{}, e.sentence(err)
		}
		list, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true})
		if err != nil {
			return sight{}, e.sentence(err)
		}
		if len(list.Items) == info.Info.Containers {
			return sight{info.Info, list.Items}, wellFormed(list.Items)
		}
		if left == 1 {
			return sight{}, fmt.Errorf("it lists %d containers but counts %d", len(list.Items), info.Info.Containers)
		}
	}
}

// sentence turns an error of the client into one that a user can act on. An
// error of the connection is preferred, because it says more than what the
// client makes of it.
func (e *engine) sentence(err error) error {
	if link := e.link.lastErr(); link != nil {
		err = link
	}
	refused, _ := errors.AsType[*trust.Refusal](err)
	switch {
	case errors.Is(err, errTooLong):
		return errTooLong
	case refused != nil:
		return &prune.CodeError{Code: "docker-socket-untrusted", Err: refused}
	case errors.Is(err, fs.ErrPermission) || errdefs.IsPermissionDenied(err):
		return fmt.Errorf("%w; run as root, or as a user of the socket's group", fs.ErrPermission)
	case errors.Is(err, fs.ErrNotExist):
		return &prune.CodeError{Code: "docker-socket-missing", Err: fmt.Errorf("there is no such socket (%w); is Docker running?", fs.ErrNotExist)}
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens on this socket (%w); is Docker running?", syscall.ECONNREFUSED)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("it gave no answer in time: %w", err)
	case errors.Is(err, context.Canceled):
		return err
	default:
		// The client adds advice about TLS on further lines, which makes no sense for
		// a unix socket. The error has no type that leaves it out. No decision
		// depends on the text.
		text, _, _ := strings.Cut(err.Error(), "\n")
		return fmt.Errorf("its answer cannot be parsed: %s", text)
	}
}
