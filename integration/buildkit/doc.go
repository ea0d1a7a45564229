// Package buildkit runs a real buildkitd for tests, with the worker of a
// private containerd.
package buildkit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/daemon"
	"github.com/ctr-prune/ctr-prune/integration/parts"
	"github.com/ctr-prune/ctr-prune/integration/service"
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
	if err := os.MkdirAll(b.dir(), 0o711); err != nil {
		tb.Fatal(err)
	}
	config := fmt.Sprintf("[worker.containerd]\ndefaultCgroupParent = %q\n", b.cgroup())
	if err := os.WriteFile(b.config(), []byte(config), 0o644); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { service.RemoveCgroups(tb, b.cgroup()) })
	b.service = service.Start(tb, "buildkitd", filepath.Join(b.dir(), "log"), b.command, b.ready)
	return b
}

func (b *Builder) dir() string    { return filepath.Join(b.Dir(), "buildkit-"+b.Namespace) }
func (b *Builder) config() string { return filepath.Join(b.dir(), "buildkitd.toml") }
func (b *Builder) addr() string   { return "unix://" + filepath.Join(b.dir(), "s") }

// cgroup is the parent of the steps' groups, one for each builder.
func (b *Builder) cgroup() string {
	return "/buildkit-" + filepath.Base(b.Dir()) + "-" + b.Namespace
}

func (b *Builder) command() *exec.Cmd {
	return exec.Command(b.paths.Bin(parts.Buildkit, "buildkitd"),
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

// Step is one vertex of a build.
type Step struct {
	Name   string
	Cached bool
}

// Build builds the folder and exports the image under a name, as `buildctl
// build` does, and returns the steps.
func (b *Builder) Build(dir, name string, attrs ...string) []Step {
	b.tb.Helper()
	steps, err := b.TryBuild(b.tb.Context(), dir, name, attrs...)
	if err != nil {
		b.tb.Fatalf("building %s: %v", name, err)
	}
	return steps
}

// TryBuild is Build for use in another goroutine than the test's.
func (b *Builder) TryBuild(ctx context.Context, dir, name string, attrs ...string) ([]Step, error) {
	output := "type=image,name=" + name
	for _, attr := range attrs {
		output += "," + attr
	}
	var status, errs bytes.Buffer
	cmd := b.ctl(ctx, "build", "--frontend", "dockerfile.v0", "--local", "context="+dir, "--local", "dockerfile="+dir,
		"--output", output, "--progress", "rawjson")
	cmd.Stdout, cmd.Stderr = &errs, &status
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%w\n%s%s", err, errs.Bytes(), status.Bytes())
	}
	return readSteps(&status)
}

// readSteps reads the stream of states of a build: the last state of each
// vertex is how it ended.
func readSteps(status io.Reader) ([]Step, error) {
	var order []string
	last := make(map[string]Step)
	dec := json.NewDecoder(status)
	for {
		var state struct {
			Vertexes []struct {
				Digest, Name string
				Cached       bool
			}
		}
		if err := dec.Decode(&state); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		for _, v := range state.Vertexes {
			if _, seen := last[v.Digest]; !seen {
				order = append(order, v.Digest)
			}
			last[v.Digest] = Step{v.Name, v.Cached}
		}
	}
	steps := make([]Step, len(order))
	for i, digest := range order {
		steps[i] = last[digest]
	}
	return steps, nil
}

// settleTime bounds the wait for the traces of finished builds.
const settleTime = time.Minute

// Settle waits until buildkit has put the trace of each finished build into
// its history, which it does some seconds after the build, with new blobs and
// a lease. It tells nobody when it does, so it is asked.
func (b *Builder) Settle() {
	b.tb.Helper()
	deadline := time.Now().Add(settleTime)
	for {
		traces := b.Ctl("debug", "histories", "--format", "{{if and .Record.CompletedAt (not .Record.Trace)}}bare{{end}}")
		if !strings.Contains(traces, "bare") {
			return
		}
		if time.Now().After(deadline) {
			b.tb.Fatalf("buildkit's history is not complete: %q", traces)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
