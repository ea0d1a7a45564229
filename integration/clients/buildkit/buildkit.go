package buildkit

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/service"
)

const buildTimeout = 20 * time.Minute

// Builder is a buildkitd that belongs to one test. Its methods fail the test
// on errors.
type Builder struct {
	*daemon.Daemon
	// Namespace is where it keeps images and cache.
	Namespace string

	tb      testing.TB
	service *service.Service
	paths   parts.Paths
}

// Start starts a containerd and a buildkitd on it that uses the namespace.
// The test is skipped, with the reason, where this user cannot run them.
func Start(tb testing.TB, namespace string) *Builder {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("buildkitd needs root")
	}
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	paths, err := parts.Ensure(ctx, parts.Runc, parts.Shim)
	if err != nil {
		tb.Fatal(err)
	}
	return On(tb, daemon.Start(tb, daemon.Options{Path: []string{paths.Dir(parts.Runc), paths.Dir(parts.Shim)}}), namespace)
}

// On starts a buildkitd on a containerd that runs and finds runc and its shim
// in its path.
func On(tb testing.TB, d *daemon.Daemon, namespace string) *Builder {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	paths, err := parts.Ensure(ctx, parts.Buildkit)
	if err != nil {
		tb.Fatal(err)
	}
	b := &Builder{Daemon: d, Namespace: namespace, tb: tb, paths: paths}
	if err := os.MkdirAll(b.temp(), 0o711); err != nil {
		tb.Fatal(err)
	}
	config := fmt.Sprintf("[worker.containerd]\ndefaultCgroupParent = %q\n", b.CgroupParent("buildkit-"+namespace))
	if err := os.WriteFile(b.config(), []byte(config), 0o644); err != nil {
		tb.Fatal(err)
	}
	b.service = service.Start(tb, "buildkitd", filepath.Join(b.dir(), "log"), b.command, b.ready)
	return b
}

// StopBuilder ends buildkitd; containerd goes on.
func (b *Builder) StopBuilder() { b.tb.Helper(); b.service.Stop() }

// KillBuilder ends buildkitd so that it can put nothing in order: its steps go
// on, and what it has mounted stays until UnmountBuilder is called.
func (b *Builder) KillBuilder() { b.tb.Helper(); b.service.Kill() }

// UnmountBuilder detaches what buildkitd has left mounted when it was killed.
func (b *Builder) UnmountBuilder() { b.tb.Helper(); b.Daemon.Unmount(b.temp()) }

// StartBuilder starts buildkitd again.
func (b *Builder) StartBuilder() { b.tb.Helper(); b.service.Up(b.ready) }

func (b *Builder) dir() string    { return filepath.Join(b.Dir(), "buildkit-"+b.Namespace) }
func (b *Builder) temp() string   { return filepath.Join(b.dir(), "tmp") }
func (b *Builder) config() string { return filepath.Join(b.dir(), "buildkitd.toml") }
func (b *Builder) addr() string   { return "unix://" + filepath.Join(b.dir(), "s") }

func (b *Builder) command() *exec.Cmd {
	cmd := exec.Command(b.paths.Bin(parts.Buildkit, "buildkitd"),
		"--config", b.config(),
		"--root", filepath.Join(b.dir(), "root"),
		"--addr", b.addr(),
		"--oci-worker=false",
		"--containerd-worker=true",
		"--containerd-worker-addr", b.Address(),
		"--containerd-worker-namespace", b.Namespace,
		"--containerd-worker-snapshotter", b.Snapshotter(),
		"--containerd-worker-net", "host",
		"--containerd-worker-gc=false",
	)
	cmd.Env = append(os.Environ(), "TMPDIR="+b.temp()) // where it mounts snapshots
	return cmd
}

// Ctl runs buildctl and returns what it prints on stdout.
func (b *Builder) Ctl(args ...string) string {
	b.tb.Helper()
	var out, errs bytes.Buffer
	cmd := b.ctl(b.tb.Context(), args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		b.tb.Fatalf("buildctl %q: %v\n%s", args, err, errs.Bytes())
	}
	return out.String()
}

func (b *Builder) ctl(ctx context.Context, args ...string) *exec.Cmd {
	return exec.CommandContext(ctx, b.paths.Bin(parts.Buildkit, "buildctl"), append([]string{"--addr", b.addr()}, args...)...)
}

func (b *Builder) ready(ctx context.Context) error {
	if out, err := b.ctl(ctx, "debug", "workers").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}
