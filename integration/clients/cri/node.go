package cri

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	runtime "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/ctr-prune/ctr-prune/integration/bed/daemon"
	"github.com/ctr-prune/ctr-prune/integration/bed/imagestore"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/integration/bed/programs"
)

const (
	// Namespace is where CRI keeps everything.
	Namespace = "k8s.io"
	// PauseName is the image of sandboxes, as the configuration names it.
	PauseName = "registry.example/pause:1"
	// SleeperPath is the program in every image of a [Node].
	SleeperPath = "/sleeper"
	// answerTimeout bounds the wait for something that CRI does in the
	// background: milliseconds, but not on a machine under load.
	answerTimeout = 5 * time.Minute
)

// Node is a containerd with CRI. Its methods fail the test on errors.
type Node struct {
	*daemon.Daemon
	tb      testing.TB
	Runtime runtime.RuntimeServiceClient
	Images  runtime.ImageServiceClient
	// Base is a runnable image that others build upon; Builder makes them.
	Base    *imagestore.Image
	Builder *imagestore.Builder
	conns   []*grpc.ClientConn
	ids     map[digest.Digest]string
}

// Start starts a node of one containerd version with its pause image in the
// store, with changed options if given. The test is skipped, with the reason, where pods cannot
// run.
func Start(tb testing.TB, version parts.Part, change ...func(*daemon.Options)) *Node {
	tb.Helper()
	opts := Options(tb, version)
	opts.NoSync = true
	for _, c := range change {
		c(&opts)
	}
	n := On(tb, daemon.Start(tb, opts))
	n.Base = Pause(tb, n.Builder)
	n.Add(n.Base, PauseName)
	return n
}

// Options are those of a daemon whose CRI can run pods, once it has the image
// of [Pause] as [PauseName]. The test is skipped, with the reason, where pods
// cannot run.
func Options(tb testing.TB, version parts.Part) daemon.Options {
	tb.Helper()
	if os.Geteuid() != 0 {
		tb.Skip("pods need root: runc and CRI mount and make cgroups")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	shim := parts.Shim
	if version == parts.Containerd17 {
		shim = parts.Shim17
	}
	paths, err := parts.Ensure(ctx, parts.Runc, shim)
	if err != nil {
		tb.Fatal(err)
	}
	return daemon.Options{
		Version:      version,
		CRI:          true,
		SandboxImage: PauseName,
		Path:         []string{paths.Dir(parts.Runc), paths.Dir(shim)},
	}
}

// On is the node of a daemon that runs, with [Options]. It has no Base.
func On(tb testing.TB, d *daemon.Daemon) *Node {
	tb.Helper()
	n := &Node{Daemon: d, tb: tb, Builder: imagestore.New(7), ids: make(map[digest.Digest]string)}
	tb.Cleanup(n.cleanup)
	n.dial()
	return n
}

// Pause makes the image of sandboxes, which other images can build upon.
func Pause(tb testing.TB, b *imagestore.Builder) *imagestore.Image {
	tb.Helper()
	return b.Program(imagestore.Spec{Name: PauseName}, SleeperPath, programs.Sleeper(tb))
}

// dial connects to the CRI services, which share containerd's socket.
func (n *Node) dial() {
	n.tb.Helper()
	conn, err := grpc.NewClient("unix://"+n.Address(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		n.tb.Fatalf("connecting to CRI: %v", err)
	}
	n.conns = append(n.conns, conn)
	n.Runtime, n.Images = runtime.NewRuntimeServiceClient(conn), runtime.NewImageServiceClient(conn)
	n.Await("CRI to answer", func(ctx context.Context) (bool, error) {
		_, err := n.Runtime.Version(ctx, &runtime.VersionRequest{})
		return err == nil, nil
	})
}

// Ready waits until CRI works, as after a restart by somebody who goes on with
// the connections there are.
func (n *Node) Ready() {
	n.tb.Helper()
	n.Await("CRI to be ready", func(ctx context.Context) (bool, error) {
		_, err := n.Status(ctx, PauseName)
		return err == nil, nil
	})
}

// Await asks until the answer is yes: CRI follows containerd's events in its
// own time and offers nothing to wait on.
func (n *Node) Await(what string, ask func(ctx context.Context) (bool, error)) {
	n.tb.Helper()
	n.AwaitWithin(answerTimeout, what, ask)
}

// AwaitWithin is as Await, for what takes its time.
func (n *Node) AwaitWithin(limit time.Duration, what string, ask func(ctx context.Context) (bool, error)) {
	n.tb.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(n.tb.Context()), limit)
	defer cancel()
	for {
		ok, err := ask(ctx)
		if err != nil {
			n.tb.Fatalf("waiting for %s: %v", what, err)
		}
		if ok {
			return
		}
		select {
		case <-ctx.Done():
			n.tb.Fatalf("waited %v for %s", limit, what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}
