package docker

import (
	"context"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
)

// Create makes a container of an image, in any spelling, and returns its ID.
func (e *Engine) Create(name, image string, mounts ...mount.Mount) string {
	e.tb.Helper()
	made, err := e.API.ContainerCreate(e.tb.Context(), client.ContainerCreateOptions{
		Name:       name,
		Config:     &container.Config{Image: image},
		HostConfig: &container.HostConfig{NetworkMode: "none", Mounts: mounts},
	})
	if err != nil {
		e.tb.Fatalf("creating container %s of %s: %v", name, image, err)
	}
	return made.ID
}

// Run makes and starts a container.
func (e *Engine) Run(name, image string, mounts ...mount.Mount) string {
	e.tb.Helper()
	id := e.Create(name, image, mounts...)
	e.StartContainer(id)
	return id
}

// StartContainer starts a container, or starts it again.
func (e *Engine) StartContainer(id string) {
	e.tb.Helper()
	if _, err := e.API.ContainerStart(e.tb.Context(), id, client.ContainerStartOptions{}); err != nil {
		e.tb.Errorf("starting container %s: %v", id, err)
	}
}

// StopContainer stops a container at once.
func (e *Engine) StopContainer(id string) {
	e.tb.Helper()
	soon := 0
	if _, err := e.API.ContainerStop(e.tb.Context(), id, client.ContainerStopOptions{Timeout: &soon}); err != nil {
		e.tb.Fatalf("stopping container %s: %v", id, err)
	}
}

// Containers lists all containers, by name.
func (e *Engine) Containers() map[string]container.Summary {
	e.tb.Helper()
	list, err := e.API.ContainerList(e.tb.Context(), client.ContainerListOptions{All: true})
	if err != nil {
		e.tb.Fatalf("listing containers: %v", err)
	}
	out := make(map[string]container.Summary, len(list.Items))
	for _, c := range list.Items {
		out[c.Names[0][1:]] = c
	}
	return out
}

// removeContainers ends what runs, or it would outlive the test.
func (e *Engine) removeContainers() {
	if !e.service.Running() {
		e.StartEngine()
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	list, err := e.API.ContainerList(ctx, client.ContainerListOptions{All: true})
	if err != nil {
		e.tb.Errorf("listing containers to remove: %v", err)
	}
	for _, c := range list.Items {
		if err := e.removeContainer(ctx, c.ID); err != nil {
			e.tb.Errorf("removing container %s: %v", c.ID, err)
		}
	}
	e.service.Stop()
	// What the Engine did not know any more when it came back.
	e.EndContainers(Namespace)
}

// removeContainer removes a container, or waits until whoever is removing it
// already has done so.
func (e *Engine) removeContainer(ctx context.Context, id string) error {
	_, err := e.API.ContainerRemove(ctx, id, client.ContainerRemoveOptions{Force: true})
	if errdefs.IsConflict(err) {
		wait := e.API.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
		select {
		case <-wait.Result:
			err = nil
		case err = <-wait.Error:
		}
	}
	if errdefs.IsNotFound(err) {
		return nil
	}
	return err
}

// Remove removes a container by force.
func (e *Engine) Remove(id string) {
	e.tb.Helper()
	if _, err := e.API.ContainerRemove(e.tb.Context(), id, client.ContainerRemoveOptions{Force: true}); err != nil {
		e.tb.Fatalf("removing container %s: %v", id, err)
	}
}
