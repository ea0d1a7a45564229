package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/ctr-prune/ctr-prune/integration/bed/machine"
	"github.com/ctr-prune/ctr-prune/integration/bed/parts"
	"github.com/ctr-prune/ctr-prune/prune"
)

const (
	// readyTimeout bounds the wait for a started daemon: 22 to 160 ms are
	// usual, a loaded machine takes longer.
	readyTimeout = 5 * time.Minute
	// stopTimeout is how long Stop waits before it reports a failure.
	stopTimeout = 5 * time.Minute
	// buildTimeout bounds the first build of the programs.
	buildTimeout = 20 * time.Minute
)

// Daemon is a containerd that belongs to one test. Its methods fail the test
// on errors and must be called from the test's goroutine.
type Daemon struct {
	tb      testing.TB
	opts    Options
	bin     string
	ctr     string
	dir     string
	owner   *os.File
	proc    *process
	clients clients
	// expected are the problems that the test plants.
	expected []prune.Problem
	// killed says that it was killed at least once.
	killed bool
	// unopenable is why nobody can open the store, if so.
	unopenable string
}

// Start starts a daemon and waits until it answers. The test is skipped,
// with the reason, where this user cannot run one.
func Start(tb testing.TB, opts Options) *Daemon {
	tb.Helper()
	d := create(tb, opts)
	d.Up()
	return d
}

// create prepares a daemon that is not running yet.
func create(tb testing.TB, opts Options) *Daemon {
	tb.Helper()
	if opts.Version == "" {
		opts.Version = parts.Containerd24
	}
	if reason := Unsupported(); reason != "" {
		tb.Skip(reason)
	}
	d := &Daemon{tb: tb, opts: opts}
	d.programs()
	var err error
	if d.dir, d.owner, err = makeDir(opts.Dir); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(d.cleanup)
	if opts.Standard {
		if err := d.standard(); err != nil {
			tb.Fatalf("giving the daemon its usual folders: %v", err)
		}
	}
	if opts.Mount != nil {
		if err := errors.Join(os.Mkdir(d.Root(), 0o711), opts.Mount(d.Root())); err != nil {
			tb.Fatalf("giving the daemon a disk of its own: %v", err)
		}
	}
	return d
}

// programs finds those of the version, and builds them first if need be.
func (d *Daemon) programs() {
	d.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), buildTimeout)
	defer cancel()
	paths, err := parts.Ensure(ctx, d.opts.Version)
	if err != nil {
		d.tb.Fatal(err)
	}
	d.bin = paths.Bin(d.opts.Version, "containerd")
	d.ctr = paths.Bin(d.opts.Version, "ctr")
}

// Version is the part whose containerd this is.
func (d *Daemon) Version() parts.Part { return d.opts.Version }

// Dir is the folder that holds everything of this daemon.
func (d *Daemon) Dir() string { return d.dir }

// LogFile is the path of the daemon's log, over all restarts.
func (d *Daemon) LogFile() string { return filepath.Join(d.dir, "log") }

// BlobFile is the path of a blob in the content store.
func (d *Daemon) BlobFile(blob digest.Digest) string {
	return filepath.Join(d.Root(), "io.containerd.content.v1.content", "blobs", blob.Algorithm().String(), blob.Encoded())
}

// Ctr is the path of the ctr of the same version.
func (d *Daemon) Ctr() string { return d.ctr }

// Snapshotter is the snapshotter to use: overlayfs where it works, else
// native.
func (d *Daemon) Snapshotter() string { return defaultSnapshotter(d.dir) }

// PID is the process ID of the running daemon.
func (d *Daemon) PID() int { return d.proc.pid() }

// Running says whether the process is there, be it stopped by Pause.
func (d *Daemon) Running() bool { return d.proc != nil && d.proc.running() }

// Up starts the daemon again after Stop or Kill and waits until it answers.
func (d *Daemon) Up() {
	d.tb.Helper()
	if d.Running() {
		return
	}
	if err := d.writeConfig(); err != nil {
		d.tb.Fatal(err)
	}
	proc, err := startProcess(d.command(), d.LogFile())
	if err != nil {
		d.tb.Fatal(err)
	}
	d.proc = proc
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	if err := awaitReady(ctx, d.Address(), proc); err != nil {
		d.tb.Fatalf("containerd %s did not become ready: %v\n%s", d.opts.Version, err, d.logTail())
	}
}

// Kill ends the daemon with SIGKILL and waits until it is gone.
func (d *Daemon) Kill() {
	d.tb.Helper()
	d.killed = true
	d.end(syscall.SIGKILL)
}

// Stop ends the daemon in good order and waits until it is gone.
func (d *Daemon) Stop() {
	d.tb.Helper()
	d.end(syscall.SIGTERM)
}

// Restart stops the daemon if it runs and starts it again, with changed
// options if given, of which the version may be one.
func (d *Daemon) Restart(change ...func(*Options)) {
	d.tb.Helper()
	d.Stop()
	for _, c := range change {
		c(&d.opts)
	}
	d.programs()
	d.Up()
}

// Pause freezes the daemon with SIGSTOP: calls hang until Continue.
func (d *Daemon) Pause() {
	d.tb.Helper()
	d.signal(syscall.SIGSTOP)
	if err := machine.AwaitStopped(d.proc.pid()); err != nil {
		d.tb.Errorf("waiting for containerd to stop: %v", err)
	}
}

// Continue ends a Pause.
func (d *Daemon) Continue() {
	d.tb.Helper()
	d.signal(syscall.SIGCONT)
}

func (d *Daemon) signal(sig os.Signal) {
	d.tb.Helper()
	if err := d.proc.signal(sig); err != nil {
		d.tb.Errorf("sending %v to containerd: %v", sig, err)
	}
}

func (d *Daemon) end(sig syscall.Signal) {
	d.tb.Helper()
	if !d.Running() {
		return
	}
	// It may have been killed by its ID, and not been waited for yet.
	if err := d.proc.signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		d.tb.Fatalf("sending %v to containerd: %v", sig, err)
	}
	select {
	case <-d.proc.done:
	case <-time.After(stopTimeout):
		d.tb.Fatalf("containerd did not end within %v of %v\n%s", stopTimeout, sig, d.logTail())
	}
}
