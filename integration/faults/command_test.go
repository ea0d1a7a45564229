package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/ctr-prune/ctr-prune/integration/proxy"
	"github.com/ctr-prune/ctr-prune/prune"
)

// run is a started command and what it said.
type run struct {
	*exec.Cmd
	out, err bytes.Buffer
}

// arguments are those of a run over both namespaces by way of a socket.
func arguments(address string, more ...string) []string {
	return append([]string{"--address", address, "--all", "-n", "default", "-n", "other", "--force", "--format", "json"}, more...)
}

// start starts the command with nothing of this environment.
func (b *bed) start(args ...string) *run {
	b.t.Helper()
	r := &run{Cmd: exec.CommandContext(b.t.Context(), b.program, args...)}
	r.Env = []string{"PATH=" + os.Getenv("PATH"), "TERM=dumb"}
	r.Stdout, r.Stderr = &r.out, &r.err
	b.must(r.Start())
	return r
}

// end waits for the command and returns its exit code, or -1 and the signal
// that ended it.
func (b *bed) end(r *run) (int, syscall.Signal) {
	b.t.Helper()
	err := r.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.t.Fatal(err)
	}
	status := r.ProcessState.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		return -1, status.Signal()
	}
	return status.ExitStatus(), 0
}

// through starts the command by way of a proxy with a gate. act gets the
// process as well, which there is before the first call.
func (b *bed) through(act func(context.Context, proxy.Call, *os.Process)) (*run, *proxy.Proxy) {
	b.t.Helper()
	socket := filepath.Join(b.d.Dir(), "p.sock")
	started := make(chan *os.Process, 1)
	p := proxy.Start(b.t, b.d.Address(), socket, func(ctx context.Context, call proxy.Call) {
		process := <-started
		started <- process
		act(ctx, call, process)
	})
	r := b.start(arguments(socket)...)
	started <- r.Process
	return r, p
}

// document is what a run printed.
func (b *bed) document(r *run) (doc prune.Document) {
	b.t.Helper()
	if err := json.Unmarshal(r.out.Bytes(), &doc); err != nil {
		b.t.Fatalf("parsing what the command printed: %v\nstdout: %.2000s\nstderr: %s", err, r.out.String(), r.err.String())
	}
	return doc
}
