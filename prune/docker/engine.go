package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"syscall"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/system"
	"github.com/moby/moby/client"
)

// engine is a connection to a Docker Engine for one question.
type engine struct{ api *client.Client }

func (s *Source) connect() (*engine, error) {
	api, err := client.New(
		client.WithHost("unix://"+s.path),
		client.WithHTTPResponseHook(func(r *http.Response) {
			r.Body = &capped{ReadCloser: r.Body, left: s.limit}
		}),
	)
	if err != nil {
		return nil, err
	}
	return &engine{api}, nil
}

// close ends the connection; an error would say only that it had ended.
func (e *engine) close() { _ = e.api.Close() }

// capped fails a body that is longer than it may be, where io.LimitReader
// would cut it short without a word.
type capped struct {
	io.ReadCloser
	left int64
}

var errTooLong = errors.New("its answer is too long")

func (c *capped) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return 0, errTooLong
	}
	return n, err
}

// sight is what an Engine said of itself and of its containers.
type sight struct {
	info       system.Info
	containers []container.Summary
}

// looks is how often the Engine is asked again when containers come or go
// between its two answers.
const looks = 3

// look asks the Engine who it is and for all of its containers. An answer
// that cannot be whole is an error.
func (e *engine) look(ctx context.Context) (sight, error) {
	for left := looks; ; left-- {
		info, err := e.api.Info(ctx, client.InfoOptions{})
		if err != nil {
			return sight{}, sentence(err)
		}
		list, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true})
		if err != nil {
			return sight{}, sentence(err)
		}
		if len(list.Items) == info.Info.Containers {
			return sight{info.Info, list.Items}, wellFormed(list.Items)
		}
		if left == 1 {
			return sight{}, fmt.Errorf("it lists %d containers but counts %d", len(list.Items), info.Info.Containers)
		}
	}
}

// sentence turns an error of the client into what a user can act on.
func sentence(err error) error {
	switch {
	case errors.Is(err, errTooLong):
		return errTooLong
	case errors.Is(err, fs.ErrPermission) || errdefs.IsPermissionDenied(err):
		return fmt.Errorf("permission denied: run as root, or as a user of the socket's group: %w", fs.ErrPermission)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no such socket; is Docker running? Give its socket with --docker-host: %w", fs.ErrNotExist)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens on this socket; is Docker running? %w", syscall.ECONNREFUSED)
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("it gave no answer in time: %w", err)
	default:
		return fmt.Errorf("its answer cannot be understood: %w", err)
	}
}
