package docker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moby/moby/client"
)

// pauseTimeout bounds the attempts to freeze a container: one is enough, but not
// on a machine under load.
const pauseTimeout = 5 * time.Minute

// PauseContainer freezes a container whose program runs, as soon as it waits.
func (e *Engine) PauseContainer(id string) {
	e.tb.Helper()
	ctx, cancel := context.WithTimeout(e.tb.Context(), pauseTimeout)
	defer cancel()
	err := e.awaitProgram(ctx, id)
	if err == nil {
		err = e.pause(ctx, id)
	}
	if err != nil {
		e.tb.Fatalf("pausing container %s: %v", id, err)
	}
}

// pause tries until the container is frozen. With cgroup v1 each of its threads
// has to run to be so; runc waits for that, gives up after some time, and lets
// the container go on as it was.
func (e *Engine) pause(ctx context.Context, id string) error {
	for {
		_, err := e.API.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		if err == nil || !strings.Contains(err.Error(), "unable to freeze") {
			return err
		}
		if ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
	}
}

// awaitProgram follows what a container prints until its program says that it
// waits.
func (e *Engine) awaitProgram(ctx context.Context, id string) error {
	printed, err := e.API.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, Follow: true})
	if err != nil {
		return fmt.Errorf("following what it prints: %w", err)
	}
	defer printed.Close()
	lines := bufio.NewScanner(printed)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "waiting") {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("following what it prints: %w", err)
	}
	return fmt.Errorf("its program has ended: %w", io.ErrUnexpectedEOF)
}
