package docker

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/moby/moby/client"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
	"github.com/ctr-prune/ctr-prune/integration/bed/service"
	"github.com/ctr-prune/ctr-prune/prune"
)

// Namespace is where the Engine keeps its images and containers.
const Namespace = "moby"

const buildTimeout = 20 * time.Minute

// Engine is a dockerd that belongs to one test. Its methods fail the test on
// errors.
type Engine struct {
	*daemon.Daemon
	tb      testing.TB
	service *service.Service
	dockerd string
	path    string
	// API is the Engine's own client.
	API *client.Client
	// Program is a static program for containers: it waits until it is told
	// to end, ends at once when its argument is "exit",
	// and is busy meanwhile when it is "spin".
	Program []byte

	builder *imagestore.Builder
	base    *imagestore.Image
	// classic says that it keeps its images itself, and not in containerd.
	classic bool
}

// Start starts a containerd and an Engine on it. The test is skipped, with
// the reason, where this user cannot run them.
func Start(tb testing.TB) *Engine {
	tb.Helper()
	return StartOn(tb, parts.Containerd24)
}

// StartOn is Start with a containerd of that version.
func StartOn(tb testing.TB, version parts.Part) *Engine { return start(tb, version, false) }

// StartClassic is Start with an Engine that keeps its images itself.
func StartClassic(tb testing.TB) *Engine { return start(tb, parts.Containerd24, true) }

func start(tb testing.TB, version parts.Part, classic bool) *Engine {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("dockerd needs root")
	}
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	shim := parts.Shim
	if version == parts.Containerd17 {
		shim = parts.Shim17
	}
	paths, err := parts.Ensure(ctx, parts.Runc, shim)
	if err != nil {
		tb.Fatal(err)
	}
	return on(tb, classic, daemon.Start(tb, daemon.Options{Version: version, Path: []string{paths.Dir(parts.Runc), paths.Dir(shim)}}))
}

// On starts an Engine on a containerd that runs and finds runc and its shim
// in its path.
func On(tb testing.TB, d *daemon.Daemon) *Engine { return on(tb, false, d) }

func on(tb testing.TB, classic bool, d *daemon.Daemon) *Engine {
	tb.Helper()
	// The check at the end of the test has no Engine to ask.
	d.Expect(prune.ProblemUnreadable)
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	paths, err := parts.Ensure(ctx, parts.Runc, parts.Dockerd)
	if err != nil {
		tb.Fatal(err)
	}
	e := &Engine{
		Daemon: d, tb: tb, Program: programs.Sleeper(tb), classic: classic,
		dockerd: paths.Bin(parts.Dockerd, "dockerd"),
		path:    paths.Dir(parts.Runc) + string(os.PathListSeparator) + os.Getenv("PATH"),
	}
	if e.API, err = client.New(client.WithHost("unix://" + e.Socket())); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { e.API.Close() })
	if err := os.MkdirAll(e.dir(), 0o711); err != nil {
		tb.Fatal(err)
	}
	if err := os.WriteFile(e.config(), []byte("{}"), 0o644); err != nil {
		tb.Fatal(err)
	}
	e.service = service.Start(tb, "dockerd", filepath.Join(e.dir(), "log"), e.command, e.ready)
	tb.Cleanup(e.removeContainers)
	return e
}

func (e *Engine) dir() string    { return filepath.Join(e.Dir(), "docker") }
func (e *Engine) config() string { return filepath.Join(e.dir(), "daemon.json") }

// Socket is the path of the Engine's API.
func (e *Engine) Socket() string { return filepath.Join(e.Dir(), "docker.sock") }

func (e *Engine) command() *exec.Cmd {
	driver := e.Snapshotter()
	if e.classic {
		driver = "vfs"
	}
	cmd := exec.Command(e.dockerd,
		"--config-file", e.config(),
		"--host", "unix://"+e.Socket(),
		"--data-root", filepath.Join(e.dir(), "data"),
		"--exec-root", filepath.Join(e.dir(), "exec"),
		"--pidfile", filepath.Join(e.dir(), "pid"),
		"--containerd", e.Address(),
		"--feature", fmt.Sprintf("containerd-snapshotter=%v", !e.classic),
		"--storage-driver", driver,
		"--exec-opt", "native.cgroupdriver=cgroupfs",
		"--cgroup-parent", e.CgroupParent("docker"),
		"--shutdown-timeout", "1", // a paused container does not end when told to
		"--bridge", "none", "--iptables=false", "--ip6tables=false", "--userland-proxy=false",
	)
	cmd.Env = append(os.Environ(), "PATH="+e.path)
	return cmd
}

func (e *Engine) ready(ctx context.Context) error {
	_, err := e.API.Ping(ctx, client.PingOptions{})
	return err
}

// StopEngine ends dockerd and with it its containers; containerd goes on.
func (e *Engine) StopEngine() { e.tb.Helper(); e.service.Stop() }

// KillEngine ends dockerd so that it can put nothing in order: its containers
// go on. What it has mounted is unmounted, because the next dockerd empties the
// folder of temporary files, including whatever is mounted there.
func (e *Engine) KillEngine() {
	e.tb.Helper()
	e.service.Kill()
	e.Unmount(e.dir())
}

// StartEngine starts dockerd again.
func (e *Engine) StartEngine() { e.tb.Helper(); e.service.Up(e.ready) }
