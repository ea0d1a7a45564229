package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
)

// awaitReady waits until the daemon answers a Version call. It returns early
// when the process ends.
func awaitReady(ctx context.Context, address string, proc *process) error {
	const pause = 5 * time.Millisecond
	var last error
	for {
		if last = ask(ctx, address); last == nil {
			return nil
		}
		select {
		case <-proc.done:
			return errors.New("it ended at once")
		case <-ctx.Done():
			return fmt.Errorf("%w; last answer: %w", ctx.Err(), last)
		case <-time.After(pause):
		}
	}
}

// ask makes one attempt with a connection of its own: gRPC waits a second
// before it dials again, longer than a daemon takes to start.
func ask(ctx context.Context, address string) error {
	c, err := containerd.New(address)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err = c.Version(ctx)
	return err
}
