package docker

import (
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// A container that hardly ever gets to run, as on a machine under load, is
// paused all the same, although runc gives up on it time and again.
func TestPauseOfAStarvedContainer(t *testing.T) {
	e := Start(t)
	e.Image("docker.io/library/app:1")
	made, err := e.API.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Name:       "starved",
		Config:     &container.Config{Image: "app:1", Cmd: []string{ProgramPath, "spin"}},
		HostConfig: &container.HostConfig{NetworkMode: "none"},
	})
	if err != nil {
		t.Fatal(err)
	}
	e.StartContainer(made.ID)
	if err := e.awaitProgram(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	// A few milliseconds of each second, for each of its threads to freeze in.
	little := container.Resources{CPUPeriod: 1_000_000, CPUQuota: 4_000}
	if _, err := e.API.ContainerUpdate(t.Context(), made.ID, client.ContainerUpdateOptions{Resources: &little}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		e.PauseContainer(made.ID)
		if state := e.Containers()["starved"].State; state != container.StatePaused {
			t.Fatalf("the container is %s", state)
		}
		if _, err := e.API.ContainerUnpause(t.Context(), made.ID, client.ContainerUnpauseOptions{}); err != nil {
			t.Fatal(err)
		}
	}
}
