package daemon

import (
	"context"
	"errors"
	"fmt"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/errdefs"
)

// EndContainers removes the containers of a namespace, with their programs and
// shims, for clients that lost sight of them when containerd was killed. It
// returns how many there were.
func (d *Daemon) EndContainers(namespace string) int {
	d.tb.Helper()
	s := d.Store(namespace)
	ctx := s.Context(context.WithoutCancel(d.tb.Context()))
	list, err := s.Client.Containers(ctx)
	if err != nil {
		d.tb.Errorf("listing the containers of namespace %s: %v", namespace, err)
	}
	for _, c := range list {
		d.EndContainer(namespace, c.ID())
	}
	return len(list)
}

// EndContainer removes one container with its program and its shim. One that
// is gone is no error.
func (d *Daemon) EndContainer(namespace, id string) {
	d.tb.Helper()
	s := d.Store(namespace)
	ctx := s.Context(context.WithoutCancel(d.tb.Context()))
	if err := endContainer(ctx, s.Client, id); err != nil && !errdefs.IsNotFound(err) {
		d.tb.Errorf("ending container %s of namespace %s: %v", id, namespace, err)
	}
}

func endContainer(ctx context.Context, client *containerd.Client, id string) error {
	c, err := client.LoadContainer(ctx, id)
	if err != nil {
		return err
	}
	task, err := c.Task(ctx, nil)
	if err == nil {
		_, err = task.Delete(ctx, containerd.WithProcessKill)
	}
	if err != nil && !errdefs.IsNotFound(err) {
		return errors.Join(fmt.Errorf("ending its program: %w", err), c.Delete(ctx))
	}
	return c.Delete(ctx)
}
