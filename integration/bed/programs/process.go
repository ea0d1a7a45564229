package programs

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/ctr-prune/ctr-prune/integration/bed/machine"
	"github.com/ctr-prune/ctr-prune/prune"
)

// patience is how long a command may take that nothing holds up.
const patience = 5 * time.Minute

// Process is a started command and what it has said.
type Process struct {
	tb          testing.TB
	cmd         *exec.Cmd
	out, stderr bytes.Buffer
	ended       chan struct{}
	err         error
}

// Start starts a program with nothing of this environment. It is killed when
// the test ends.
func Start(tb testing.TB, program string, args ...string) *Process {
	tb.Helper()
	p := &Process{tb: tb, cmd: exec.CommandContext(tb.Context(), program, args...), ended: make(chan struct{})}
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TERM=dumb"}
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.stderr
	if err := p.cmd.Start(); err != nil {
		tb.Fatalf("starting %s: %v", program, err)
	}
	go func() {
		defer close(p.ended)
		p.err = p.cmd.Wait()
	}()
	return p
}

// PID is the process ID.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Signal sends a signal. One that has ended gets none.
func (p *Process) Signal(sig os.Signal) {
	p.tb.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.tb.Errorf("sending %v to the command: %v", sig, err)
	}
}

// Pause freezes the command with SIGSTOP, until Continue.
func (p *Process) Pause() {
	p.tb.Helper()
	p.Signal(syscall.SIGSTOP)
	if err := machine.AwaitStopped(p.PID()); err != nil {
		p.tb.Errorf("waiting for the command to stop: %v", err)
	}
}

// Continue ends a Pause.
func (p *Process) Continue() {
	p.tb.Helper()
	p.Signal(syscall.SIGCONT)
}

// Ended is closed when the command has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// End waits for the command and returns its exit code, or -1 and the signal
// that ended it. One that takes too long is killed, and fails the test.
func (p *Process) End() (int, syscall.Signal) {
	p.tb.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		p.Signal(syscall.SIGABRT) // shows where it stands
		<-p.ended
		p.tb.Errorf("the command did not end within %v:\n%s", patience, p.stderr.String())
	}
	var exit *exec.ExitError
	if p.err != nil && !errors.As(p.err, &exit) {
		p.tb.Fatalf("waiting for the command: %v", p.err)
	}
	status := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return -1, status.Signal()
	}
	return status.ExitStatus(), 0
}

// Stderr is what an ended command said beside its results.
func (p *Process) Stderr() string { return p.stderr.String() }

// Document is the plan or report that an ended command printed with
// --format json.
func (p *Process) Document() (doc prune.Document) {
	p.tb.Helper()
	p.JSON(&doc)
	return doc
}

// JSON decodes what an ended command printed.
func (p *Process) JSON(into any) {
	p.tb.Helper()
	if err := json.Unmarshal(p.out.Bytes(), into); err != nil {
		p.tb.Fatalf("parsing what the command printed: %v\nstdout: %.2000s\nstderr: %s", err, p.out.String(), p.stderr.String())
	}
	conform(p.tb, p.out.Bytes())
}

// Printed says whether an ended command printed any result.
func (p *Process) Printed() bool { return p.out.Len() > 0 }

// Try runs a program and returns what it said and its exit code, -1 if ctx
// ended it. Unlike [Start] it may be called from any goroutine.
func Try(ctx context.Context, program string, args ...string) (said string, code int, err error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TERM=dumb"}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return string(out), -1, err
	}
	return string(out), cmd.ProcessState.ExitCode(), nil
}
